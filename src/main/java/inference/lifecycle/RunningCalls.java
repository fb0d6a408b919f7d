package inference.lifecycle;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * The calls that are inside the model, oldest first. The model's construction and its
 * warm-up count as one call.
 */
final class RunningCalls {

	private final List<RunningCall> calls = new ArrayList<>();

	private final LongSupplier nanoTime;

	private long lastReturn;

	RunningCalls(LongSupplier nanoTime) {
		this.nanoTime = nanoTime;
		this.lastReturn = nanoTime.getAsLong();
	}

	/** Adds a call of the current thread. */
	synchronized RunningCall begin() {
		RunningCall call = new RunningCall(Thread.currentThread(), this.nanoTime.getAsLong());
		this.calls.add(call);
		return call;
	}

	synchronized void end(RunningCall call) {
		this.lastReturn = this.nanoTime.getAsLong();
		this.calls.remove(call);
	}

	synchronized int size() {
		return this.calls.size();
	}

	/**
	 * The oldest call, if it is stuck. Age alone does not make it so: as long as other
	 * calls return, the model works.
	 * @param after the age from which a call is stuck, if no call has returned for as
	 * long
	 * @return the call, or {@code null} if none is stuck
	 */
	synchronized @Nullable RunningCall findStuck(Duration after) {
		if (this.calls.isEmpty()) {
			return null;
		}
		long now = this.nanoTime.getAsLong();
		RunningCall oldest = this.calls.getFirst();
		boolean stuck = now - oldest.started() >= after.toNanos() && now - this.lastReturn >= after.toNanos();
		return stuck ? oldest : null;
	}

	/**
	 * One call inside the model.
	 *
	 * @param thread the thread that the call blocks
	 * @param started when it began, in {@link System#nanoTime()}
	 */
	record RunningCall(Thread thread, long started) {
	}

}
