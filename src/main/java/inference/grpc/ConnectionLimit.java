package inference.grpc;

import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;

import io.grpc.Attributes;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Refuses connections above a limit, so that file descriptors are left for probes. Ends
 * the calls that are still open when their connection has ended.
 */
final class ConnectionLimit extends ServerTransportFilter {

	/** The key of a connection's open calls in its attributes. */
	static final Attributes.Key<Set<GrpcCall>> CALLS_KEY = Attributes.Key.create("calls");

	private final Semaphore permits;

	ConnectionLimit(int maxConnections) {
		this.permits = new Semaphore(maxConnections);
	}

	@Override
	public Attributes transportReady(Attributes attributes) {
		if (!this.permits.tryAcquire()) {
			throw Status.RESOURCE_EXHAUSTED.withDescription("too many connections").asRuntimeException();
		}
		return attributes.toBuilder().set(CALLS_KEY, ConcurrentHashMap.newKeySet()).build();
	}

	/**
	 * Gives back the permit of a connection that has ended.
	 * @param attributes {@code null} if the connection never got a permit
	 */
	@Override
	public void transportTerminated(@Nullable Attributes attributes) {
		if (attributes != null) {
			this.permits.release();
			// If a client sends the headers of a stream twice, gRPC reports the stream's
			// end only to the second call. The first call is ended here.
			Objects.requireNonNull(attributes.get(CALLS_KEY)).forEach((call) -> call.streamClosed(Status.CANCELLED));
		}
	}

}
