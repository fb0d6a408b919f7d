package inference.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.regex.Pattern;

import jakarta.servlet.ServletException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.apache.coyote.AbstractProtocol;
import org.apache.coyote.ActionCode;
import org.apache.coyote.http11.filters.IdentityInputFilter;
import org.apache.tomcat.util.http.MimeHeaders;
import org.apache.tomcat.util.net.ApplicationBufferHandler;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import inference.admission.Admission;
import inference.admission.LogContext;

/**
 * Runs before and after the filters of every request. Answers errors of Tomcat and of
 * filters in the same form as other errors; Tomcat's own valve would send an HTML page.
 */
final class RequestValve extends ErrorReportValve {

	private static final String ACTUATOR_PATH_PREFIX = "/actuator/";

	// Matches a % without two hexadecimal digits. Tomcat accepts such a % in a path
	// parameter, but Spring MVC throws an exception.
	private static final Pattern DAMAGED_ESCAPE = Pattern.compile("%(?![0-9A-Fa-f]{2})");

	private static final double MAX_KEEP_ALIVE_SHARE = 0.75;

	// The time for which a client may send nothing while the rest of its body is read. A
	// client that waits for "100 Continue" is disconnected after this time, too.
	private static final Duration MAX_SILENCE = Duration.ofSeconds(2);

	// A probe needs no body. A body blocks a probe thread for about this time at most.
	private static final Duration MAX_PROBE_DISCARD_TIME = Duration.ofMillis(10);

	private final Admission admission;

	RequestValve(Admission admission) {
		this.admission = admission;
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		// A connection ends after a probe. Otherwise Tomcat could run its next request,
		// such as a prediction, on the probe's thread.
		if (isProbeThread() || this.admission.isDraining() || isNearConnectionLimit(request)) {
			response.setHeader("Connection", "close");
		}
		RequestId.addToAnswer(request, response);
		LogContext.setIds(RequestId.of(request), request.getHeader("traceparent"));
		boolean isActuatorPath = String.valueOf(request.getDecodedRequestURI()).startsWith(ACTUATOR_PATH_PREFIX);
		if (isActuatorPath && !"POST".equals(request.getMethod())) {
			removeUnusedHeaders(request);
		}
		try {
			if (response.getStatus() < 400 && DAMAGED_ESCAPE.matcher(request.getRequestURI()).find()) {
				ErrorAnswer.of(400, "The path is not valid: check its encoding.").send(request, response);
			}
			else {
				super.invoke(request, response);
			}
			if (!request.isAsyncStarted() && isBodyUnread(request)) {
				response.flushBuffer();
				discardBody(request);
			}
		}
		finally {
			MDC.clear();
		}
	}

	@Override
	protected void report(Request request, Response response, @Nullable Throwable failure) {
		if (response.getStatus() < 400 || response.getContentWritten() > 0) {
			return;
		}
		try {
			ErrorAnswer answer = (ErrorAnswer) request.getAttribute(ErrorAnswer.ATTRIBUTE);
			((answer != null) ? answer : containerErrorAnswer(request, response, failure)).send(request, response);
			// Spring Boot's own error valve runs next. It closes the connection of an
			// error that is not marked as reported.
			response.setErrorReported();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static ErrorAnswer containerErrorAnswer(Request request, Response response, @Nullable Throwable failure) {
		// Tomcat answers 400 for headers that are too large or too many. Only the
		// exception's message tells the reason.
		String reason = (failure != null) ? String.valueOf(failure.getMessage()) : "";
		boolean areHeadersTooLarge = (failure instanceof IllegalArgumentException && reason.contains("too large"))
				|| (failure instanceof IllegalStateException && reason.contains("number of headers"));
		int status = areHeadersTooLarge ? 431 : response.getStatus();
		String sentence = response.getMessage();
		return (status == 404) ? ErrorAnswer.notFound(String.valueOf(request.getRequestURI()))
				: ErrorAnswer.of(status, (sentence != null) ? sentence : ErrorAnswer.sentenceFor(status));
	}

	// The length is checked as text, because Tomcat throws an exception when it parses a
	// length that is not a number.
	private static boolean isBodyUnread(Request request) {
		String contentLength = String.valueOf(request.getHeader("Content-Length"));
		return !request.getCoyoteRequest().isFinished()
				&& (contentLength.matches("[0-9]+") || request.getHeader("Transfer-Encoding") != null);
	}

	private static boolean isProbeThread() {
		return !Thread.currentThread().isVirtual();
	}

	// Whether over three quarters of the allowed connections are open. If so, connections
	// are not kept alive, so that probes can still open new connections.
	private static boolean isNearConnectionLimit(Request request) {
		return request.getConnector().getProtocolHandler() instanceof AbstractProtocol<?> protocol
				&& protocol.getConnectionCount() > protocol.getMaxConnections() * MAX_KEEP_ALIVE_SHARE;
	}

	// Removes headers because Actuator rejects some values, such as an empty Accept.
	// Actuator needs only the Accept with which Prometheus asks for OpenMetrics, and the
	// Content-Type of a POST.
	private static void removeUnusedHeaders(Request request) {
		MimeHeaders headers = request.getCoyoteRequest().getMimeHeaders();
		headers.removeHeader("Content-Type");
		String accept = request.getHeader("Accept");
		if (accept != null && !accept.contains("openmetrics")) {
			headers.removeHeader("Accept");
		}
	}

	// Reads and discards the rest of the body. If the connection were closed early, a
	// client that sends its whole body before it reads the answer would get a broken
	// pipe. After the answer is written, the Servlet API cannot read the rest of the
	// body, but Tomcat's internal request can.
	private void discardBody(Request request) {
		HttpProtocol.setReadTimeout(request, (isProbeThread() ? MAX_PROBE_DISCARD_TIME : MAX_SILENCE).toMillis());
		Duration maxTime = isProbeThread() ? MAX_PROBE_DISCARD_TIME : this.admission.maxDeadline();
		long endNanos = System.nanoTime() + maxTime.toNanos();
		// This object holds the bytes, which are not used.
		ApplicationBufferHandler buffer = new IdentityInputFilter(0);
		int count = 0;
		try {
			while (count >= 0 && System.nanoTime() < endNanos) {
				count = request.getCoyoteRequest().doRead(buffer);
			}
		}
		catch (IOException | IllegalArgumentException ex) {
			// The client has gone or was silent for too long, or its trailers are too
			// large.
		}
		if (count >= 0) {
			// Without this call, Tomcat would wait for the rest of the body, and the
			// request would keep its thread and its permit.
			request.getCoyoteRequest().action(ActionCode.DISABLE_SWALLOW_INPUT, null);
		}
	}

}
