package inference.web;

import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * The id of a request, in its answer and in the log. The client gives it in the header
 * {@code X-Request-Id} or as the Open Inference Protocol's {@code id}; otherwise the
 * server makes one. Characters that do not fit into a header are replaced.
 */
final class RequestId {

	static final String HEADER = "X-Request-Id";

	// The names in the log are those of the Elastic Common Schema.
	private static final String REQUEST_KEY = "http.request.id";

	private static final String TRACE_KEY = "trace.id";

	private static final String SPAN_KEY = "span.id";

	private static final Pattern TRACE_PARENT = Pattern
		.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?");

	private static final String ATTRIBUTE = RequestId.class.getName();

	private static final int MAX_LENGTH = 100;

	private static final Pattern UNPRINTABLE = Pattern.compile("[^!-~]");

	// Tomcat's numbers are unique only within a process.
	private static final String PROCESS_PREFIX = UUID.randomUUID().toString().substring(0, 9);

	private RequestId() {
	}

	/**
	 * Adds the ids of the request and of its W3C trace to every line that this thread
	 * logs, until {@link #endLogging}.
	 */
	static void startLogging(HttpServletRequest request) {
		MDC.put(REQUEST_KEY, of(request));
		String parent = request.getHeader("traceparent");
		if (parent != null) {
			Matcher ids = TRACE_PARENT.matcher(parent);
			if (ids.matches()) {
				MDC.put(TRACE_KEY, ids.group(1));
				MDC.put(SPAN_KEY, ids.group(2));
			}
		}
	}

	static void endLogging() {
		MDC.remove(REQUEST_KEY);
		MDC.remove(TRACE_KEY);
		MDC.remove(SPAN_KEY);
	}

	/** Sets the id for a request without the header. */
	static void setDefault(HttpServletRequest request, @Nullable String id) {
		if (id != null) {
			request.setAttribute(ATTRIBUTE, id);
			MDC.put(REQUEST_KEY, of(request));
		}
	}

	/** The id that the client gave, or {@code null}. */
	static @Nullable String given(HttpServletRequest request) {
		String id = request.getHeader(HEADER);
		if (id == null) {
			id = (String) request.getAttribute(ATTRIBUTE);
		}
		if (id == null || id.isEmpty()) {
			return null;
		}
		return UNPRINTABLE.matcher(id.substring(0, Math.min(id.length(), MAX_LENGTH))).replaceAll("_");
	}

	/** The request's id, which does not change unless {@link #setDefault} is called. */
	static String of(HttpServletRequest request) {
		String given = given(request);
		return (given != null) ? given : PROCESS_PREFIX + request.getRequestId();
	}

}
