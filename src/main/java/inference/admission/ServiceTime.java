package inference.admission;

import java.util.concurrent.TimeUnit;

/**
 * The time for which a call occupies a model thread, averaged over about one second of
 * busy time per thread. With a shorter window, a few fast calls would lower the average
 * so far that more calls are admitted than can be answered in time.
 */
final class ServiceTime {

	// The sum of busy time is divided by at least this number, so that the averages stay
	// finite even if no call completes.
	private static final double MIN_DIVISOR = 0.125;

	private final double windowNanos;

	// Before a run is added to these sums, they are multiplied by a factor below 1. The
	// longer the run, the smaller is the factor.
	private double decayedBusyNanos;

	private double decayedCallCount;

	private double decayedRunCount;

	// These times are volatile, because requests read them without the lock. They are 0
	// before the first run.
	private volatile long averageNanosPerCall;

	private volatile long averageNanosPerRun;

	// A longer run raises this time by up to 3 %, so that one short run does not count
	// forever.
	private volatile long shortestRunNanos;

	ServiceTime(int threadCount) {
		this.windowNanos = (double) threadCount * TimeUnit.SECONDS.toNanos(1);
	}

	/**
	 * Records how long a model thread was busy.
	 * @param nanos the busy time, in nanoseconds
	 * @param completedCalls the number of calls in the run; 0 if the run was cancelled,
	 * or if its calls run again
	 */
	synchronized void record(long nanos, int completedCalls) {
		long addedNanos = Math.max(nanos, 1);
		double decayFactor = this.windowNanos / (this.windowNanos + addedNanos);
		this.decayedBusyNanos = this.decayedBusyNanos * decayFactor + addedNanos;
		this.decayedCallCount = this.decayedCallCount * decayFactor + completedCalls;
		this.decayedRunCount = this.decayedRunCount * decayFactor + Math.min(completedCalls, 1);
		this.averageNanosPerCall = (long) Math
			.ceil(this.decayedBusyNanos / Math.max(this.decayedCallCount, MIN_DIVISOR));
		this.averageNanosPerRun = (long) Math.ceil(this.decayedBusyNanos / Math.max(this.decayedRunCount, MIN_DIVISOR));
		if (completedCalls > 0) {
			long previousShortestNanos = this.shortestRunNanos;
			this.shortestRunNanos = (previousShortestNanos == 0) ? nanos
					: Math.min(nanos, previousShortestNanos + (previousShortestNanos >> 5) + 1);
		}
	}

	long averageNanosPerCall() {
		return this.averageNanosPerCall;
	}

	long averageNanosPerRun() {
		return this.averageNanosPerRun;
	}

	long shortestRunNanos() {
		return this.shortestRunNanos;
	}

}
