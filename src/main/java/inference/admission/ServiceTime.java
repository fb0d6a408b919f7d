package inference.admission;

import java.util.concurrent.TimeUnit;

/**
 * The time that calls occupy a model thread, averaged over about one busy second. With a
 * shorter average, a few fast calls would let in more calls than can be answered in time.
 */
final class ServiceTime {

	private static final double NANOS_PER_SECOND = TimeUnit.SECONDS.toNanos(1);

	// The smallest divisor, in calls. It keeps the averages finite.
	private static final double MIN_DIVISOR = 0.125;

	private final double windowNanos;

	// These sums decay with the model threads' busy time.
	private double busyNanos;

	private double callCount;

	private double runCount;

	// Requests read these figures without a lock.
	private volatile long averageNanosPerCall;

	private volatile long averageNanosPerRun;

	// The shortest recent run, in nanoseconds. A longer run raises it by up to 3 %.
	private volatile long quickestRunNanos;

	ServiceTime(int threadCount) {
		this.windowNanos = threadCount * NANOS_PER_SECOND;
	}

	/**
	 * Records how long a model thread was busy.
	 * @param nanos the time
	 * @param endedCalls the number of calls in the run; 0 if the run was cancelled,
	 * because its time is only a lower bound
	 */
	synchronized void record(long nanos, int endedCalls) {
		long addedNanos = Math.max(nanos, 1);
		double decayFactor = this.windowNanos / (this.windowNanos + addedNanos);
		this.busyNanos = this.busyNanos * decayFactor + addedNanos;
		this.callCount = this.callCount * decayFactor + endedCalls;
		this.runCount = this.runCount * decayFactor + Math.min(endedCalls, 1);
		this.averageNanosPerCall = (long) Math.ceil(this.busyNanos / Math.max(this.callCount, MIN_DIVISOR));
		this.averageNanosPerRun = (long) Math.ceil(this.busyNanos / Math.max(this.runCount, MIN_DIVISOR));
		if (endedCalls > 0) {
			long previousNanos = this.quickestRunNanos;
			this.quickestRunNanos = (previousNanos == 0) ? nanos
					: Math.min(nanos, previousNanos + (previousNanos >> 5) + 1);
		}
	}

	/** The average thread time per call, in nanoseconds; 0 at first. */
	long averageNanosPerCall() {
		return this.averageNanosPerCall;
	}

	/** The average time of a run of the model, in nanoseconds; 0 before the first. */
	long averageNanosPerRun() {
		return this.averageNanosPerRun;
	}

	/** The shortest recent run, in nanoseconds; 0 before the first. */
	long quickestRunNanos() {
		return this.quickestRunNanos;
	}

}
