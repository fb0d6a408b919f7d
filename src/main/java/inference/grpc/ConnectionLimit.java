package inference.grpc;

import java.util.concurrent.Semaphore;

import io.grpc.Attributes;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Refuses connections above a limit, so that file descriptors are left for probes.
 */
final class ConnectionLimit extends ServerTransportFilter {

	private final Semaphore permits;

	ConnectionLimit(int maxConnections) {
		this.permits = new Semaphore(maxConnections);
	}

	@Override
	public Attributes transportReady(Attributes attributes) {
		if (!this.permits.tryAcquire()) {
			throw Status.RESOURCE_EXHAUSTED.withDescription("too many connections").asRuntimeException();
		}
		return attributes;
	}

	/**
	 * Gives back the permit of a connection that has ended.
	 * @param attributes {@code null} if the connection never got a permit
	 */
	@Override
	public void transportTerminated(@Nullable Attributes attributes) {
		if (attributes != null) {
			this.permits.release();
		}
	}

}
