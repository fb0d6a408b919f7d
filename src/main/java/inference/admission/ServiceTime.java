package inference.admission;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * How long a slot is taken for one call, on average of those of about the last second: of
 * fewer, now and then some that happen to be fast would let in more than can be served.
 */
final class ServiceTime {

	private static final double SECOND = TimeUnit.SECONDS.toNanos(1);

	// Of a call: where none has come to its end lately, the average is to be large and
	// not infinite.
	private static final double LEAST = 0.125;

	private final AtomicReference<Lately> lately = new AtomicReference<>(new Lately(0, 0, 0));

	private final double window;

	/**
	 * The time of several slots.
	 * @param slots how many, for they are taken at the same time
	 */
	ServiceTime(int slots) {
		this.window = slots * SECOND;
	}

	/**
	 * The sums over what has been recorded, which fade as slots are taken.
	 *
	 * @param nanos in which slots were taken
	 * @param calls that came to their end in them
	 * @param runs that these were run in
	 */
	private record Lately(double nanos, double calls, double runs) {

		Lately and(long taken, int ended, double window) {
			double rest = window / (window + taken);
			return new Lately(this.nanos * rest + taken, this.calls * rest + ended,
					this.runs * rest + Math.min(ended, 1));
		}

		long per(double count) {
			return (long) Math.ceil(this.nanos / Math.max(count, LEAST));
		}

	}

	/**
	 * Counts a time in which a slot was taken.
	 * @param nanos from when it was given to a call, or had run the one before
	 * @param calls that were run together meanwhile; 0 if they were ended before they had
	 * come to their end, which tells only that they take longer
	 */
	void record(long nanos, int calls) {
		Lately before;
		Lately after;
		do {
			before = this.lately.get();
			after = before.and(Math.max(nanos, 1), calls, this.window);
		}
		while (!this.lately.compareAndSet(before, after));
	}

	/** For a call, its share where several run together; in nanoseconds, 0 before any. */
	long average() {
		Lately now = this.lately.get();
		return now.per(now.calls());
	}

	/** For all that run together; in nanoseconds, 0 before any. */
	long run() {
		Lately now = this.lately.get();
		return now.per(now.runs());
	}

}
