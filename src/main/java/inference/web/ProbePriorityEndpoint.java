package inference.web;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;

import org.apache.tomcat.util.net.NioChannel;
import org.apache.tomcat.util.net.NioEndpoint;
import org.apache.tomcat.util.net.SocketEvent;
import org.apache.tomcat.util.net.SocketWrapperBase;

/**
 * Tomcat's endpoint, except that probes without TLS run on platform threads of their own.
 * Every other request waits for a permit of {@link RequestExecutor} and for a carrier
 * thread. A probe waits for neither, and the operating system divides the CPUs fairly
 * between platform threads.
 */
final class ProbePriorityEndpoint extends NioEndpoint {

	private static final Pattern PROBE_REQUEST_PREFIX = Pattern
		.compile("(GET|HEAD) /(actuator/health/|(startupz|livez|readyz|v2/health/(live|ready))[ ?/])");

	// No other request that matches the pattern has a longer prefix.
	private static final int MAX_PROBE_REQUEST_PREFIX_LENGTH = "HEAD /actuator/health/".length();

	// While this many probes run, further probes wait like other requests. This limits
	// the memory that a flood of probes can use.
	private static final int MAX_PROBE_THREADS = 8;

	private static final int MAX_IDLE_SECONDS = 30;

	private final Executor probeThreads = new ThreadPoolExecutor(0, MAX_PROBE_THREADS, MAX_IDLE_SECONDS,
			TimeUnit.SECONDS, new SynchronousQueue<>(), Thread.ofPlatform().daemon().name("probe-", 0).factory());

	@Override
	public boolean processSocket(SocketWrapperBase<NioChannel> socket, SocketEvent event, boolean dispatch) {
		try {
			if (event == SocketEvent.OPEN_READ && dispatch && !isSSLEnabled() && isProbe(socket)) {
				this.probeThreads.execute(() -> super.processSocket(socket, event, false));
				return true;
			}
		}
		catch (IOException | RejectedExecutionException ex) {
			// After a failed read, the call below fails in the same way. If all threads
			// for probes are busy, the call below handles the probe like other requests.
		}
		return super.processSocket(socket, event, dispatch);
	}

	// Reads the first bytes that have arrived, without blocking, and puts them back into
	// the socket's read buffer.
	private static boolean isProbe(SocketWrapperBase<NioChannel> socket) throws IOException {
		ByteBuffer firstBytes = ByteBuffer.allocate(MAX_PROBE_REQUEST_PREFIX_LENGTH);
		socket.read(false, firstBytes);
		String text = new String(firstBytes.array(), 0, firstBytes.position(), StandardCharsets.US_ASCII);
		socket.unRead(firstBytes.flip());
		return PROBE_REQUEST_PREFIX.matcher(text).lookingAt();
	}

}
