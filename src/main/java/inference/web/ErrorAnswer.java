package inference.web;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

import inference.admission.Rejection;
import inference.codec.InvalidRequestException;

/**
 * The answer to a request that failed: a status, and a sentence that says what to change.
 * This is the only place where a failure is translated to HTTP.
 *
 * @param status the HTTP status
 * @param sentence for the client
 * @param retryAfter when to try again, or {@code null}
 */
record ErrorAnswer(int status, String sentence, @Nullable Duration retryAfter) {

	// What nginx and EAS answer in place of a client that has gone; it is only counted.
	private static final int CLIENT_CLOSED_REQUEST = 499;

	private static final Duration NOT_READY_RETRY = Duration.ofSeconds(2);

	private static final Logger logger = LoggerFactory.getLogger(ErrorAnswer.class);

	static ErrorAnswer of(int status, String sentence) {
		return new ErrorAnswer(status, sentence, null);
	}

	static ErrorAnswer of(Throwable failure) {
		return switch (failure) {
			case RequestException ex -> of(ex.status(), String.valueOf(ex.getMessage()));
			case InvalidRequestException ex -> of(400, String.valueOf(ex.getMessage()));
			case JacksonException ex -> of(400, "The body is not JSON as expected: %s".formatted(where(ex)));
			case Rejection rejection -> of(rejection);
			default -> {
				logger.error("A prediction failed", failure);
				yield of(500, "The model failed: %s".formatted(failure.getMessage()));
			}
		};
	}

	private static ErrorAnswer of(Rejection rejection) {
		String reason = String.valueOf(rejection.getMessage());
		return switch (rejection.kind()) {
			case NOT_READY -> new ErrorAnswer(503, "Not ready: " + reason, NOT_READY_RETRY);
			case OVERLOADED -> new ErrorAnswer(429, reason, rejection.retryAfter());
			case TOO_LARGE -> of(413, reason);
			case DEADLINE_EXCEEDED -> of(504, reason);
			case CLIENT_GONE -> of(CLIENT_CLOSED_REQUEST, reason);
		};
	}

	private static String where(JacksonException ex) {
		String message = InvalidRequestException.excerpt(ex.getOriginalMessage());
		if (ex.getLocation() == null) {
			return message;
		}
		return "%s (line %d, column %d)".formatted(message, ex.getLocation().getLineNr(),
				ex.getLocation().getColumnNr());
	}

	void send(HttpServletRequest request, HttpServletResponse response) throws IOException {
		byte[] body = JsonMapper.shared().writeValueAsBytes(Map.of("error", this.sentence));
		response.setStatus(this.status);
		response.setHeader(RequestId.HEADER, RequestId.of(request));
		if (this.retryAfter != null) {
			long seconds = Math.max(1, this.retryAfter.plusMillis(999).toSeconds());
			response.setHeader("Retry-After", Long.toString(seconds));
		}
		response.setContentType("application/json");
		response.setContentLength(body.length);
		response.getOutputStream().write(body);
	}

}
