package inference.admission;

import java.time.Duration;
import java.util.Objects;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import inference.model.InsufficientMemoryException;
import inference.model.InvalidOutputException;

/**
 * The reason why a request is not answered with outputs, as text for the client.
 * Rejections are frequent under load, so they have no stack trace.
 */
public final class Rejection extends RuntimeException {

	private static final Duration NOT_READY_RETRY_AFTER = Duration.ofSeconds(2);

	private static final Duration MEMORY_RETRY_AFTER = Duration.ofSeconds(1);

	private static final String SEE_LOG = "The server's log has the reason, with this answer's X-Request-Id.";

	private static final Logger logger = LoggerFactory.getLogger(Rejection.class);

	private final Kind kind;

	private final @Nullable Duration retryAfter;

	Rejection(Kind kind, String reason) {
		this(kind, reason, null);
	}

	private Rejection(Kind kind, String reason, @Nullable Duration retryAfter) {
		super(reason.endsWith(".") ? reason : reason + ".", null, false, false);
		this.kind = kind;
		this.retryAfter = retryAfter;
	}

	/**
	 * The rejection for any failure of a request. A failure that is not a rejection yet
	 * is logged here. Its message reaches the client only if it is an
	 * {@link InvalidOutputException}, because other messages may contain data that
	 * clients must not see.
	 * @param failure a rejection, which is returned, or any other failure
	 * @return the rejection for the client
	 */
	public static Rejection of(Throwable failure) {
		return switch (failure) {
			case Rejection rejection -> rejection;
			case InvalidOutputException _ -> ofModelFailure(failure);
			default -> {
				logger.error("A request failed", failure);
				yield new Rejection(Kind.FAILED, "The server failed. " + SEE_LOG);
			}
		};
	}

	/** The rejection for the failure of a call of the model. */
	static Rejection ofModelFailure(Throwable failure) {
		return switch (failure) {
			case Rejection rejection -> rejection;
			case IllegalArgumentException _ -> {
				logger.debug("The model cannot use the input of a request", failure);
				yield new Rejection(Kind.INVALID_INPUT, "The model cannot use the input" + reasonSuffix(failure));
			}
			case InsufficientMemoryException ex when ex.isTemporary() -> memoryFull();
			case InsufficientMemoryException _ -> {
				logger.debug("A request needs more memory than the model has: {}", failure.getMessage());
				yield new Rejection(Kind.TOO_LARGE,
						"The model needs more memory for this request than it can have: send fewer rows or smaller inputs, or give the server more memory.");
			}
			case InvalidOutputException _ -> {
				logger.error("A prediction failed: {}", failure.getMessage());
				yield new Rejection(Kind.FAILED, "The model failed" + reasonSuffix(failure));
			}
			default -> {
				logger.error("A prediction failed", failure);
				yield new Rejection(Kind.FAILED, "The model failed. " + SEE_LOG);
			}
		};
	}

	// A model's exception may have no message.
	private static String reasonSuffix(Throwable failure) {
		String message = Objects.requireNonNullElse(failure.getMessage(), "");
		return message.isEmpty() ? "" : ": " + message;
	}

	static Rejection notReady(String reason) {
		return new Rejection(Kind.NOT_READY, "Not ready: " + reason, NOT_READY_RETRY_AFTER);
	}

	static Rejection memoryFull() {
		return overloaded("The server is busy: other requests hold its memory", MEMORY_RETRY_AFTER);
	}

	static Rejection overloaded(String reason, Duration retryAfter) {
		return new Rejection(Kind.OVERLOADED, reason, retryAfter);
	}

	/** The kind of rejection, which decides the status code. */
	public Kind kind() {
		return this.kind;
	}

	/**
	 * The time after which a new attempt may succeed; {@code null} if it is not known.
	 */
	public @Nullable Duration retryAfter() {
		return this.retryAfter;
	}

	public enum Kind {

		/** The model cannot use the inputs. */
		INVALID_INPUT,

		/** The lifecycle's state does not allow predictions. */
		NOT_READY,

		/** The queue is full, the wait is too long, or other requests hold the memory. */
		OVERLOADED,

		/** The request needs more memory than a single request may have. */
		TOO_LARGE,

		/** The deadline passed, or left no time for the model. */
		DEADLINE_EXCEEDED,

		/** The client closed its connection before its outputs were ready. */
		CLIENT_GONE,

		/** The model or the server failed, or the outputs cannot be sent. */
		FAILED

	}

}
