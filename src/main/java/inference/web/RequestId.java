package inference.web;

import java.util.UUID;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;

import inference.admission.LogContext;

/**
 * The id of a request, in its answer and in the log. The client gives the id in the
 * header {@code X-Request-Id} or else as the Open Inference Protocol's {@code id}. If
 * both are missing, the server makes an id. All characters except visible ASCII are
 * replaced.
 */
final class RequestId {

	static final String HEADER = "X-Request-Id";

	private static final String ATTRIBUTE = RequestId.class.getName();

	// Tomcat's request ids are unique only within a process, so this prefix precedes
	// them.
	private static final String PROCESS_PREFIX = UUID.randomUUID().toString().substring(0, 8) + "-";

	private RequestId() {
	}

	/** Sets the id of a request that does not have the header. */
	static void setDefault(HttpServletRequest request, @Nullable String id) {
		if (id != null) {
			request.setAttribute(ATTRIBUTE, id);
			LogContext.setRequestId(of(request));
		}
	}

	/** Copies the client's id to the answer, if the client gave one. */
	static void addToAnswer(HttpServletRequest request, HttpServletResponse response) {
		String id = givenByClient(request);
		if (id != null) {
			response.setHeader(HEADER, id);
		}
	}

	/** The id that the client gave, or {@code null}. */
	private static @Nullable String givenByClient(HttpServletRequest request) {
		String id = request.getHeader(HEADER);
		return LogContext.toPrintable((id != null) ? id : (String) request.getAttribute(ATTRIBUTE));
	}

	/** The request's id, which does not change unless {@link #setDefault} is called. */
	static String of(HttpServletRequest request) {
		String idFromClient = givenByClient(request);
		return (idFromClient != null) ? idFromClient : PROCESS_PREFIX + request.getRequestId();
	}

}
