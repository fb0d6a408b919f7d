package inference.admission;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * The time for which calls take a model thread, averaged over about the last second. A
 * shorter average would admit more calls than can be answered in time whenever a few
 * calls happen to be fast.
 */
final class ServiceTime {

	private static final double SECOND = TimeUnit.SECONDS.toNanos(1);

	// In calls. It keeps the average finite when no call has ended lately.
	private static final double MIN_COUNT = 0.125;

	private final AtomicReference<Sums> sums = new AtomicReference<>(new Sums(0, 0, 0));

	private final double window;

	// The shortest run lately, in nanoseconds: it rises by 3 % with each longer run.
	private volatile long quickestRun;

	/**
	 * The service time of some model threads.
	 * @param threads how many model threads there are
	 */
	ServiceTime(int threads) {
		this.window = threads * SECOND;
	}

	/**
	 * Sums that fade as time passes on the model threads.
	 *
	 * @param nanos in which model threads were taken
	 * @param calls that ended
	 * @param runs of the model that ended
	 */
	private record Sums(double nanos, double calls, double runs) {

		Sums plus(long taken, int ended, double window) {
			double rest = window / (window + taken);
			return new Sums(this.nanos * rest + taken, this.calls * rest + ended,
					this.runs * rest + Math.min(ended, 1));
		}

		long per(double count) {
			return (long) Math.ceil(this.nanos / Math.max(count, MIN_COUNT));
		}

	}

	/**
	 * Records a time for which a model thread was taken.
	 * @param nanos the time
	 * @param calls the number of calls that were run together; 0 if their deadline ended
	 * them, because such calls say only that the model takes longer
	 */
	void record(long nanos, int calls) {
		this.sums.updateAndGet((before) -> before.plus(Math.max(nanos, 1), calls, this.window));
		if (calls > 0) {
			long before = this.quickestRun;
			this.quickestRun = (before == 0) ? nanos : Math.min(nanos, before + (before >> 5) + 1);
		}
	}

	/** The average share of one call, in nanoseconds; 0 before the first. */
	long averagePerCall() {
		Sums now = this.sums.get();
		return now.per(now.calls());
	}

	/** The average run, of one call or of several, in nanoseconds; 0 before the first. */
	long averagePerRun() {
		Sums now = this.sums.get();
		return now.per(now.runs());
	}

	/** The quickest run lately, in nanoseconds; 0 before the first. */
	long quickestRun() {
		return this.quickestRun;
	}

}
