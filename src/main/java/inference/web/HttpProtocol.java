package inference.web;

import java.io.IOException;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import jakarta.servlet.http.HttpServletRequest;
import org.apache.coyote.InputBuffer;
import org.apache.coyote.Processor;
import org.apache.coyote.Request;
import org.apache.coyote.http11.Http11NioProtocol;
import org.apache.coyote.http11.Http11Processor;
import org.apache.tomcat.util.buf.ByteChunk;
import org.apache.tomcat.util.buf.MessageBytes;
import org.apache.tomcat.util.net.ApplicationBufferHandler;
import org.apache.tomcat.util.net.SocketWrapperBase;

import inference.admission.ConnectionCapacity;
import inference.web.RequestExecutor.Wait;

/**
 * Tomcat's protocol with these additions:
 * <ul>
 * <li>Probes without TLS run on threads of their own.</li>
 * <li>Host names may have an underscore, as in Docker Compose and in nginx's
 * upstreams.</li>
 * <li>Every path is also served under {@code /api/predict/{service}}, which EAS clients
 * use.</li>
 * <li>Each request can limit how long reading its body blocks, and can ask whether its
 * client has gone.</li>
 * <li>Each request gives its permit back while it waits for its body.</li>
 * <li>The heap and the file descriptors limit the number of connections.</li>
 * <li>Before Tomcat pauses, the port is closed and the requests that have arrived are
 * begun.</li>
 * </ul>
 */
public final class HttpProtocol extends Http11NioProtocol {

	private static final Pattern HOST_AND_PORT = Pattern.compile("([A-Za-z0-9._-]+)(?::([0-9]{1,5}))?");

	private static final String EAS_PATH_PREFIX = "/api/predict/";

	// One connection is allowed for this much of the heap. A connection that sends
	// nothing takes 42 KB, and one whose request has many headers and waits for its body
	// takes 139 KB. So all connections together take about half of the heap at most.
	private static final int HEAP_BYTES_PER_CONNECTION = 256 * 1024;

	private static final double FILE_DESCRIPTOR_SHARE = 0.75;

	private static final long PAUSE_CHECK_INTERVAL_MILLIS = 100;

	private static final Duration MAX_PAUSE_DELAY = Duration.ofSeconds(5);

	private static final String SOCKET_ATTRIBUTE = HttpProtocol.class.getName();

	/** Tomcat calls this constructor by reflection. */
	public HttpProtocol() {
		super(new ProbePriorityEndpoint());
	}

	/** Limits how long each read of the request's body waits for bytes. */
	static void setReadTimeout(HttpServletRequest request, long millis) {
		if (request.getAttribute(SOCKET_ATTRIBUTE) instanceof SocketWrapperBase<?> socket) {
			socket.setReadTimeout(Math.max(millis, 1));
		}
	}

	/**
	 * Returns a function that tells whether the client of a request has closed its
	 * connection. The function does not block. If it reads bytes, Tomcat keeps them for
	 * the next request.
	 */
	static BooleanSupplier clientGoneCheck(HttpServletRequest request) {
		Object attribute = request.getAttribute(SOCKET_ATTRIBUTE);
		return () -> {
			try {
				return attribute instanceof SocketWrapperBase<?> socket && !socket.isReadyForRead()
						&& socket.isClosed();
			}
			catch (IOException ex) {
				return true;
			}
		};
	}

	/**
	 * Sets the limit of the connections, or a lower one if the heap or the file
	 * descriptors do not suffice. Without a free file descriptor, Tomcat cannot accept
	 * any connection, not even for a probe. So a quarter of the file descriptors is left
	 * for files and for gRPC.
	 */
	@Override
	public void setMaxConnections(int maxConnections) {
		super.setMaxConnections(
				ConnectionCapacity.maxConnections(maxConnections, HEAP_BYTES_PER_CONNECTION, FILE_DESCRIPTOR_SHARE));
	}

	/**
	 * Closes the port, waits up to 5 s until no request has a permit or waits for one,
	 * and pauses Tomcat. A paused Tomcat finishes the requests that wait inside a
	 * servlet. It closes all other connections without an answer.
	 */
	@Override
	public void pause() throws Exception {
		closeServerSocketGraceful();
		long endNanos = System.nanoTime() + MAX_PAUSE_DELAY.toNanos();
		do {
			awaitConnectionsClose(PAUSE_CHECK_INTERVAL_MILLIS);
		}
		while (getExecutor() instanceof RequestExecutor executor && !executor.isIdle() && System.nanoTime() < endNanos);
		super.pause();
	}

	@Override
	protected Processor createProcessor() {
		Processor processor = new Http11Processor(this, getAdapter()) {
			// Tomcat calls this method after it has read the headers of a request and
			// before it uses the path.
			@Override
			protected void parseHost(MessageBytes host) {
				this.request.setAttribute(SOCKET_ATTRIBUTE, getSocketWrapper());
				removeEasPrefix(this.request.requestURI().getByteChunk());
				Matcher matcher = HOST_AND_PORT
					.matcher((host != null && !host.isNull() && host.indexOf("_") >= 0) ? host.toString() : "");
				if (matcher.matches()) {
					this.request.serverName().setString(matcher.group(1));
					this.request.setServerPort((matcher.group(2) != null) ? Integer.parseInt(matcher.group(2)) : -1);
				}
				else {
					super.parseHost(host);
				}
			}
		};
		if (getExecutor() instanceof RequestExecutor executor) {
			Request request = processor.getRequest();
			request.setInputBuffer(new PermitReleasingInput(request, request.getInputBuffer(), executor));
		}
		return processor;
	}

	// The EAS gateway removes the prefix and the service's name from the path. Clients
	// that connect to the server directly send both.
	private static void removeEasPrefix(ByteChunk path) {
		if (path.startsWith(EAS_PATH_PREFIX, 0) && path.getLength() > EAS_PATH_PREFIX.length()) {
			int serviceEnd = path.indexOf('/', EAS_PATH_PREFIX.length());
			if (serviceEnd < 0) {
				path.setEnd(path.getStart() + 1); // The path is now "/".
			}
			else {
				path.setStart(path.getStart() + serviceEnd);
			}
		}
	}

	/** The input of a request, which gives the permit back while a read can block. */
	private record PermitReleasingInput(Request request, InputBuffer source,
			RequestExecutor executor) implements InputBuffer {

		@Override
		public int doRead(ApplicationBufferHandler target) throws IOException {
			// Reading a chunked body can block although bytes are available: they may be
			// a part of the trailers.
			boolean isChunked = this.request.getContentLengthLong() < 0;
			if (!isChunked && available() > 0) {
				return this.source.doRead(target);
			}
			try (Wait _ = this.executor.beginWait()) {
				return this.source.doRead(target);
			}
		}

		@Override
		public int available() {
			return this.source.available();
		}

	}

}
