package inference.lifecycle;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Knows the calls inside the model, and finds out when the model is stuck. The model's
 * construction and its warm-up count as one call.
 */
@Component
final class Watchdog {

	private static final long CHECK_INTERVAL_NANOS = 100_000_000;

	/** The thread and the start time of each call, the oldest call first. */
	private final SequencedMap<Thread, Long> startNanosByThread = new LinkedHashMap<>();

	private final Duration stuckAfter;

	private final LongSupplier nanoClock;

	private long lastReturnNanos;

	@Autowired
	Watchdog(WatchdogProperties properties) {
		this(properties, System::nanoTime);
	}

	Watchdog(WatchdogProperties properties, LongSupplier nanoClock) {
		this.stuckAfter = properties.stuckAfter();
		this.nanoClock = nanoClock;
		this.lastReturnNanos = nanoClock.getAsLong();
	}

	Duration stuckAfter() {
		return this.stuckAfter;
	}

	synchronized void beginCall() {
		this.startNanosByThread.put(Thread.currentThread(), this.nanoClock.getAsLong());
	}

	synchronized void endCall() {
		this.lastReturnNanos = this.nanoClock.getAsLong();
		this.startNanosByThread.remove(Thread.currentThread());
	}

	synchronized int runningCalls() {
		return this.startNanosByThread.size();
	}

	/** Creates a thread that runs the check regularly until it is interrupted. */
	Thread createThread(Runnable check) {
		return Thread.ofPlatform().name("watchdog").daemon().unstarted(() -> {
			while (!Thread.currentThread().isInterrupted()) {
				check.run();
				LockSupport.parkNanos(CHECK_INTERVAL_NANOS);
			}
		});
	}

	/**
	 * Finds the oldest call if it is stuck. Its age alone does not make a call stuck: as
	 * long as other calls return, the model works.
	 * @return the thread of the call, or {@code null} if no call is stuck
	 */
	synchronized @Nullable Thread findStuckThread() {
		Map.Entry<Thread, Long> oldestCall = this.startNanosByThread.firstEntry();
		long now = this.nanoClock.getAsLong();
		long stuckAfterNanos = this.stuckAfter.toNanos();
		return (oldestCall != null && now - oldestCall.getValue() >= stuckAfterNanos
				&& now - this.lastReturnNanos >= stuckAfterNanos) ? oldestCall.getKey() : null;
	}

}
