package inference.protocol;

import java.time.Duration;

import jakarta.servlet.http.HttpServletRequest;
import org.jspecify.annotations.Nullable;

/**
 * How long a client waits for the answer, if it says so before its body.
 */
final class Patience {

	private static final String HEADER = "X-Request-Timeout-Ms";

	private Patience() {
	}

	/**
	 * Reads the request's header {@value #HEADER}.
	 * @return the time from the request's arrival, or {@code null}; 0 is none, as in the
	 * Open Inference Protocol's {@code timeout}
	 * @throws RequestException if it is not a number
	 */
	static @Nullable Duration of(HttpServletRequest request) {
		String millis = request.getHeader(HEADER);
		if (millis == null) {
			return null;
		}
		try {
			long patience = Long.parseLong(millis.strip());
			return (patience > 0) ? Duration.ofMillis(patience) : null;
		}
		catch (NumberFormatException ex) {
			throw RequestException.bad("%s must be a number of milliseconds, not '%s'.".formatted(HEADER,
					RequestException.excerpt(millis)));
		}
	}

}
