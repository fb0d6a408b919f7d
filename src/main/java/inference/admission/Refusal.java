package inference.admission;

import java.time.Duration;

/**
 * Why a call did not run. Refusals are answers, not failures, and as frequent as the load
 * makes them: they carry no stack trace.
 */
public abstract sealed class Refusal extends RuntimeException {

	private Refusal(String message) {
		super(message, null, false, false);
	}

	/** The answer to a wait that is interrupted; the interruption is kept. */
	static Refusal interrupted() {
		Thread.currentThread().interrupt();
		return new NotReady("the server is stopping");
	}

	/**
	 * The state does not allow predictions.
	 */
	public static final class NotReady extends Refusal {

		NotReady(String reason) {
			super(reason);
		}

	}

	/**
	 * Too many calls wait already, or they take too long.
	 */
	public static final class Overloaded extends Refusal {

		private final Duration retryAfter;

		Overloaded(String reason, Duration retryAfter) {
			super(reason);
			this.retryAfter = retryAfter;
		}

		/**
		 * When it is worth to try again.
		 * @return the time from now
		 */
		public Duration retryAfter() {
			return this.retryAfter;
		}

	}

	/**
	 * The deadline passed, before the call began, while it waited or inside the model, or
	 * left no time for the model after the wait.
	 */
	public static final class DeadlineExceeded extends Refusal {

		DeadlineExceeded(String reason) {
			super(reason);
		}

	}

	/**
	 * The client hung up while its call waited, so nobody is there to be told.
	 */
	public static final class ClientGone extends Refusal {

		ClientGone() {
			super("The client hung up");
		}

	}

}
