package inference.web;

import java.util.UUID;
import java.util.regex.Pattern;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

/**
 * What a request is called, in its answer and in the log: as its client calls it, in the
 * header {@code X-Request-Id} or by the Open Inference Protocol's {@code id}, else by a
 * name of the server's own. Fit for both, however it came.
 */
final class RequestId {

	static final String HEADER = "X-Request-Id";

	/** The id's name in the log's context, as the Elastic Common Schema has it. */
	static final String LOG_KEY = "http.request.id";

	private static final String ATTRIBUTE = RequestId.class.getName();

	private static final int LONGEST = 100;

	private static final Pattern UNPRINTABLE = Pattern.compile("[^!-~]");

	// Every process numbers its requests from 0
	private static final String PROCESS = UUID.randomUUID().toString().substring(0, 9);

	private RequestId() {
	}

	/** Takes an id that counts if there is no header. */
	static void suggest(HttpServletRequest request, @Nullable String id) {
		if (id != null) {
			request.setAttribute(ATTRIBUTE, id);
			MDC.put(LOG_KEY, of(request));
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
		return UNPRINTABLE.matcher(id.substring(0, Math.min(id.length(), LONGEST))).replaceAll("_");
	}

	/** The request's id, the same whenever it is asked for. */
	static String of(HttpServletRequest request) {
		String given = given(request);
		return (given != null) ? given : PROCESS + request.getRequestId();
	}

}
