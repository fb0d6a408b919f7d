package inference.grpc;

import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.Attributes;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import org.jspecify.annotations.Nullable;

/**
 * Closes connections above a limit, so that they do not take the file descriptors that
 * probes need.
 */
final class ConnectionLimit extends ServerTransportFilter {

	private final AtomicInteger connections = new AtomicInteger();

	private final int max;

	ConnectionLimit(int max) {
		this.max = max;
	}

	@Override
	public Attributes transportReady(Attributes attributes) {
		if (this.connections.incrementAndGet() > this.max) {
			this.connections.decrementAndGet();
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
			this.connections.decrementAndGet();
		}
	}

}
