package inference.admission;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import inference.admission.Rejection.Kind;

/**
 * The moment after which an answer is too late.
 *
 * @param nanoTime the moment, as a value of {@link System#nanoTime()}
 * @param timeGranted the time from the request's admission to that moment
 */
public record Deadline(long nanoTime, Duration timeGranted) {

	static Deadline in(Duration timeGranted) {
		return new Deadline(System.nanoTime() + timeGranted.toNanos(), timeGranted);
	}

	/**
	 * Returns this deadline, or the deadline that the client asks for if that is earlier.
	 * @param timeout the timeout that the client asks for, counted from the admission;
	 * {@code null} if the client asks for none
	 */
	Deadline shortenedTo(@Nullable Duration timeout) {
		if (timeout == null || timeout.compareTo(this.timeGranted) >= 0) {
			return this;
		}
		return new Deadline(this.nanoTime - this.timeGranted.minus(timeout).toNanos(), timeout);
	}

	/**
	 * A rejection that says that this deadline has passed.
	 * @param activity ends the sentence "The deadline passed while the request ..."
	 */
	public Rejection exceededRejection(String activity) {
		return new Rejection(Kind.DEADLINE_EXCEEDED,
				"The deadline of %d ms passed while the request %s".formatted(this.timeGranted.toMillis(), activity));
	}

	/** The nanoseconds until the deadline; 0 or less if it has passed. */
	public long remainingNanos() {
		return this.nanoTime - System.nanoTime();
	}

}
