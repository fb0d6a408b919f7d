package inference.grpc;

import java.util.concurrent.Semaphore;

import io.grpc.Attributes;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Closes connections above a limit, so that they do not take the file descriptors that
 * probes need.
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
	 * Frees the place of a connection.
	 * @param attributes {@code null} for a connection that was refused or never was ready
	 */
	@Override
	public void transportTerminated(@Nullable Attributes attributes) {
		if (attributes != null) {
			this.permits.release();
		}
	}

}
