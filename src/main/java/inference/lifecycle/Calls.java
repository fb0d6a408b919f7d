package inference.lifecycle;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * The calls that are inside the model, each with its age and its deadline.
 */
final class Calls {

	private final LongSupplier nanoTime;

	private final Set<Call> calls = ConcurrentHashMap.newKeySet();

	private volatile long lastReturn;

	Calls(LongSupplier nanoTime) {
		this.nanoTime = nanoTime;
		this.lastReturn = nanoTime.getAsLong();
	}

	Call enter(long deadline, Runnable late) {
		Call call = new Call(Thread.currentThread(), this.nanoTime.getAsLong(), deadline, late);
		this.calls.add(call);
		return call;
	}

	void exit(Call call) {
		call.end();
		this.lastReturn = this.nanoTime.getAsLong();
		this.calls.remove(call);
	}

	int size() {
		return this.calls.size();
	}

	/**
	 * Names each call whose deadline has passed, once.
	 * @param late called for it
	 */
	void findLate(Consumer<Call> late) {
		long now = this.nanoTime.getAsLong();
		for (Call call : this.calls) {
			if (now - call.deadline >= 0 && call.tell()) {
				late.accept(call);
			}
		}
	}

	/**
	 * The oldest call, if it is stuck. Age alone does not make it so: as long as other
	 * calls return, the model works.
	 * @param after the age from which a call may be stuck, if nothing has returned for as
	 * long
	 * @return the call, or {@code null} if none is stuck
	 */
	@Nullable Call findStuck(Duration after) {
		long now = this.nanoTime.getAsLong();
		Call oldest = null;
		for (Call call : this.calls) {
			if (oldest == null || call.started - oldest.started < 0) {
				oldest = call;
			}
		}
		boolean stuck = oldest != null && now - oldest.started >= after.toNanos()
				&& now - this.lastReturn >= after.toNanos();
		return stuck ? oldest : null;
	}

	/**
	 * One call inside the model, on the thread that it blocks.
	 */
	static final class Call {

		private final Thread thread;

		private final long started;

		private final long deadline;

		private final Runnable late;

		private boolean told;

		private boolean ended;

		private Call(Thread thread, long started, long deadline, Runnable late) {
			this.thread = thread;
			this.started = started;
			this.deadline = deadline;
			this.late = late;
		}

		Thread thread() {
			return this.thread;
		}

		Runnable late() {
			return this.late;
		}

		/** Cancels the call, unless it has ended and the thread does something else. */
		synchronized void cancel(Consumer<Thread> cancellation) {
			if (!this.ended) {
				cancellation.accept(this.thread);
			}
		}

		private synchronized void end() {
			this.ended = true;
		}

		private synchronized boolean tell() {
			boolean first = !this.told && !this.ended;
			this.told = true;
			return first;
		}

	}

}
