package inference.admission;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * Puts the ids of a request and of its W3C trace into every line that the request's
 * thread logs. The names of the ids are those of the Elastic Common Schema.
 */
public final class LogContext {

	private static final Pattern TRACE_PARENT = Pattern
		.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?");

	private static final int MAX_ID_LENGTH = 100;

	private static final Pattern UNPRINTABLE = Pattern.compile("[^!-~]");

	private LogContext() {
	}

	/**
	 * Adds the ids to the lines that the calling thread logs, until its MDC is cleared.
	 * @param traceParent the W3C Trace Context header; an invalid value is ignored
	 */
	public static void setIds(String requestId, @Nullable String traceParent) {
		setRequestId(requestId);
		if (traceParent != null) {
			Matcher matcher = TRACE_PARENT.matcher(traceParent);
			if (matcher.matches()) {
				MDC.put("trace.id", matcher.group(1));
				MDC.put("span.id", matcher.group(2));
			}
		}
	}

	public static void setRequestId(String requestId) {
		MDC.put("http.request.id", requestId);
	}

	/**
	 * Makes a client's id safe for a header. Spaces and characters outside printable
	 * ASCII become underscores, and only the first 100 characters are kept.
	 * @return the id, or {@code null} if the client gave none
	 */
	public static @Nullable String toPrintable(@Nullable String id) {
		if (id == null || id.isEmpty()) {
			return null;
		}
		return UNPRINTABLE.matcher(id.substring(0, Math.min(id.length(), MAX_ID_LENGTH))).replaceAll("_");
	}

}
