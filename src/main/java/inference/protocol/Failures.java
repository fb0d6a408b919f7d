package inference.protocol;

import java.time.Duration;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.core.JacksonException;

import inference.admission.Refusal;
import inference.admission.Statistics.Outcome;

/**
 * The one place where what went wrong becomes a status and a sentence.
 */
final class Failures {

	private static final Logger logger = LoggerFactory.getLogger(Failures.class);

	private static final Duration NOT_READY_RETRY = Duration.ofSeconds(2);

	private Failures() {
	}

	static Answer answer(Throwable failure) {
		return switch (failure) {
			case RequestException ex -> error(ex.status(), ex.getMessage(), null);
			case JacksonException ex -> error(400, "The body is not JSON as expected: %s".formatted(where(ex)), null);
			case Refusal refusal -> answer(refusal);
			default -> {
				logger.error("A prediction failed", failure);
				yield error(500, "The model failed: %s".formatted(failure.getMessage()), null);
			}
		};
	}

	static Answer error(int status, @Nullable String sentence, @Nullable Duration retryAfter) {
		return Answer.of(status, retryAfter, Map.of("error", String.valueOf(sentence)));
	}

	static Outcome outcome(int status) {
		return switch (status) {
			case 200 -> Outcome.OK;
			case 429 -> Outcome.OVERLOADED;
			case 499 -> Outcome.GONE;
			case 503 -> Outcome.NOT_READY;
			case 504 -> Outcome.LATE;
			case 500 -> Outcome.FAILED;
			default -> Outcome.INVALID;
		};
	}

	private static Answer answer(Refusal refusal) {
		return switch (refusal) {
			case Refusal.NotReady ex -> error(503, "Not ready: " + ex.getMessage(), NOT_READY_RETRY);
			case Refusal.Overloaded ex -> error(429, ex.getMessage(), ex.retryAfter());
			case Refusal.DeadlineExceeded ex -> error(504, ex.getMessage(), null);
			// Known from nginx and EAS; it is counted, not sent.
			case Refusal.ClientGone ex -> error(499, ex.getMessage(), null);
		};
	}

	private static String where(JacksonException ex) {
		String message = RequestException.excerpt(ex.getOriginalMessage());
		if (ex.getLocation() == null) {
			return message;
		}
		return "%s (line %d, column %d)".formatted(message, ex.getLocation().getLineNr(),
				ex.getLocation().getColumnNr());
	}

}
