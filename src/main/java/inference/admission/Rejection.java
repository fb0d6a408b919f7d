package inference.admission;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

/**
 * The reason why a call has no outputs although the model has not failed. Rejections are
 * frequent under load, so they have no stack trace.
 */
public final class Rejection extends RuntimeException {

	private final Kind kind;

	private final @Nullable Duration retryAfter;

	Rejection(Kind kind, String reason) {
		this(kind, reason, null);
	}

	private Rejection(Kind kind, String reason, @Nullable Duration retryAfter) {
		super(reason, null, false, false);
		this.kind = kind;
		this.retryAfter = retryAfter;
	}

	static Rejection overloaded(String reason, Duration retryAfter) {
		return new Rejection(Kind.OVERLOADED, reason, retryAfter);
	}

	/**
	 * The kind of rejection, which decides the status code.
	 * @return the kind
	 */
	public Kind kind() {
		return this.kind;
	}

	/**
	 * The time after which a new attempt may succeed.
	 * @return the time from now, or {@code null} if it is not known
	 */
	public @Nullable Duration retryAfter() {
		return this.retryAfter;
	}

	/** The kinds of rejections. */
	public enum Kind {

		/** The model cannot use the inputs. */
		INVALID_INPUT,

		/** The lifecycle's state does not allow predictions. */
		NOT_READY,

		/** The queue is full or too slow, or other requests hold the memory. */
		OVERLOADED,

		/** The request needs more memory than any request can have. */
		TOO_LARGE,

		/** The deadline passed, or left no time for the model. */
		DEADLINE_EXCEEDED,

		/** The client closed its connection while its call waited. */
		CLIENT_GONE

	}

}
