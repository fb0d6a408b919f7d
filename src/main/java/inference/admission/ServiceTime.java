package inference.admission;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How long a slot is taken for one call, on average of about the last second's: of fewer,
 * now and then some that happen to be fast would let in more than can be served.
 */
final class ServiceTime {

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private static final long FEWEST = 8;

	private static final long MOST = 256;

	private final AtomicLong average = new AtomicLong();

	/**
	 * Counts a time in which a slot was taken.
	 * @param nanos from when it was given to a call, or had run the one before
	 * @param calls that were run together meanwhile
	 */
	void record(long nanos, int calls) {
		long each = Math.max(nanos / calls, 1);
		this.average.accumulateAndGet(each, ServiceTime::include);
	}

	private static long include(long average, long call) {
		return (average == 0) ? call : average + (call - average) / Math.clamp(SECOND / average, FEWEST, MOST);
	}

	/** In nanoseconds; 0 before the first. */
	long average() {
		return this.average.get();
	}

}
