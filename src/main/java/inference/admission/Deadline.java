package inference.admission;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import inference.admission.Rejection.Kind;

/**
 * The moment after which an answer is too late.
 *
 * @param nanoTime the moment, in {@link System#nanoTime()}
 * @param granted the time from the request's admission to that moment
 */
public record Deadline(long nanoTime, Duration granted) {

	static Deadline in(Duration granted) {
		return new Deadline(System.nanoTime() + granted.toNanos(), granted);
	}

	/**
	 * This deadline, or an earlier one that the client asks for.
	 * @param wanted the time from the request's admission that the client waits, or
	 * {@code null} if it did not say
	 * @return the earlier of the two
	 */
	public Deadline within(@Nullable Duration wanted) {
		if (wanted == null || wanted.compareTo(this.granted) >= 0) {
			return this;
		}
		return new Deadline(this.nanoTime - this.granted.minus(wanted).toNanos(), wanted);
	}

	/**
	 * Throws if the deadline has passed.
	 * @param where what the request was doing, such as "was read"
	 * @throws Rejection if it has
	 */
	public void requireTime(String where) {
		if (remainingNanos() <= 0) {
			throw exceededRejection(where);
		}
	}

	/**
	 * A rejection that says that this deadline has passed.
	 * @param where what the request was doing, such as "was read"
	 * @return the exception, to be thrown
	 */
	public Rejection exceededRejection(String where) {
		return new Rejection(Kind.DEADLINE_EXCEEDED,
				"The deadline of %d ms passed while the request %s".formatted(this.granted.toMillis(), where));
	}

	/** The nanoseconds until the deadline; 0 or less if it has passed. */
	public long remainingNanos() {
		return this.nanoTime - System.nanoTime();
	}

	Rejection tooNearRejection() {
		return new Rejection(Kind.DEADLINE_EXCEEDED,
				"The deadline of %d ms left no time for the model after the wait".formatted(this.granted.toMillis()));
	}

}
