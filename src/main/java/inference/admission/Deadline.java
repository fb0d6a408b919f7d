package inference.admission;

import java.time.Duration;

/**
 * When an answer comes too late.
 *
 * @param at the moment, in {@link System#nanoTime()}
 * @param granted the time from the request's arrival until then
 */
public record Deadline(long at, Duration granted) {

	static Deadline in(Duration granted, long now) {
		return new Deadline(now + granted.toNanos(), granted);
	}

	/**
	 * This deadline, or an earlier one.
	 * @param wanted the time from the request's arrival that its client grants
	 * @return the earlier of the two
	 */
	public Deadline within(Duration wanted) {
		boolean sooner = wanted.compareTo(this.granted) < 0;
		return sooner ? new Deadline(this.at - this.granted.minus(wanted).toNanos(), wanted) : this;
	}

	long remaining(long now) {
		return this.at - now;
	}

	Refusal exceeded(String where) {
		return new Refusal.DeadlineExceeded(
				"The deadline of %d ms passed while the request %s".formatted(this.granted.toMillis(), where));
	}

	Refusal tooNear() {
		return new Refusal.DeadlineExceeded(
				"The deadline of %d ms left no time for the model after the wait".formatted(this.granted.toMillis()));
	}

	Refusal exceededInside() {
		return exceeded("was inside the model");
	}

}
