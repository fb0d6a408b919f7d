package inference.admission;

import java.time.Duration;

/**
 * The reason why a call has no outputs although neither its input nor the model is at
 * fault. Rejections are as frequent as the load makes them, so they have no stack trace.
 */
public abstract sealed class Rejection extends RuntimeException {

	private Rejection(String message) {
		super(message, null, false, false);
	}

	/**
	 * The lifecycle's state does not allow predictions.
	 */
	public static final class NotReady extends Rejection {

		NotReady(String reason) {
			super(reason);
		}

	}

	/**
	 * The queue is full or too slow, or other requests hold the memory.
	 */
	public static final class Overloaded extends Rejection {

		private final Duration retryAfter;

		Overloaded(String reason, Duration retryAfter) {
			super(reason);
			this.retryAfter = retryAfter;
		}

		/**
		 * The time after which a new attempt may succeed.
		 * @return the time from now
		 */
		public Duration retryAfter() {
			return this.retryAfter;
		}

	}

	/**
	 * The request needs more memory than any request can have.
	 */
	public static final class TooLarge extends Rejection {

		TooLarge(String reason) {
			super(reason);
		}

	}

	/**
	 * The deadline passed, or left no time for the model.
	 */
	public static final class DeadlineExceeded extends Rejection {

		DeadlineExceeded(String reason) {
			super(reason);
		}

	}

	/**
	 * The client closed its connection while its call waited, so nobody gets the answer.
	 */
	public static final class ClientGone extends Rejection {

		ClientGone() {
			super("The client closed its connection");
		}

	}

}
