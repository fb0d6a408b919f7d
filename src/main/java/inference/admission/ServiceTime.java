package inference.admission;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The time that calls occupy a model thread, averaged over about one second. With a
 * shorter average, a few fast calls would let in more calls than can be answered in time.
 */
final class ServiceTime {

	private static final double SECOND_NANOS = TimeUnit.SECONDS.toNanos(1);

	// The smallest divisor, in calls. It keeps the average finite.
	private static final double MIN_COUNT = 0.125;

	private final AtomicReference<Sums> sums = new AtomicReference<>(new Sums(0, 0, 0));

	private final double windowNanos;

	// The shortest recent run, in nanoseconds. A longer run raises it by up to 3 %.
	private volatile long quickestRunNanos;

	ServiceTime(int threadCount) {
		this.windowNanos = threadCount * SECOND_NANOS;
	}

	/**
	 * Sums that decay with the model threads' busy time.
	 *
	 * @param nanos busy time of the model threads
	 * @param calls the number of calls that ended
	 * @param runs the number of runs that ended
	 */
	private record Sums(double nanos, double calls, double runs) {

		Sums plus(long taken, int ended, double windowNanos) {
			double rest = windowNanos / (windowNanos + taken);
			return new Sums(this.nanos * rest + taken, this.calls * rest + ended,
					this.runs * rest + Math.min(ended, 1));
		}

		long averageOver(double count) {
			return (long) Math.ceil(this.nanos / Math.max(count, MIN_COUNT));
		}

	}

	/**
	 * Records how long a model thread was busy.
	 * @param nanos the time
	 * @param calls the number of calls in the run; 0 if the run was cancelled, because
	 * its time is only a lower bound
	 */
	void record(long nanos, int calls) {
		this.sums.updateAndGet((before) -> before.plus(Math.max(nanos, 1), calls, this.windowNanos));
		if (calls > 0) {
			long before = this.quickestRunNanos;
			this.quickestRunNanos = (before == 0) ? nanos : Math.min(nanos, before + (before >> 5) + 1);
		}
	}

	/** The average thread time per call, in nanoseconds; 0 at first. */
	long averageNanosPerCall() {
		Sums now = this.sums.get();
		return now.averageOver(now.calls());
	}

	/** The average time of a run of the model, in nanoseconds; 0 before the first. */
	long averageNanosPerRun() {
		Sums now = this.sums.get();
		return now.averageOver(now.runs());
	}

	/** The shortest recent run, in nanoseconds; 0 before the first. */
	long quickestRunNanos() {
		return this.quickestRunNanos;
	}

}
