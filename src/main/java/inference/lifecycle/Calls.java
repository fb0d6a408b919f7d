package inference.lifecycle;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

/**
 * The calls that are inside the model, oldest first, each with its age and its deadlines.
 */
final class Calls {

	private final LongSupplier nanoTime;

	// As short as the model has slots, and changed for every request: a list under a lock
	// takes less than any concurrent set.
	private final List<Call> calls = new ArrayList<>();

	private long lastReturn;

	Calls(LongSupplier nanoTime) {
		this.nanoTime = nanoTime;
		this.lastReturn = nanoTime.getAsLong();
	}

	Call enter(long answerBy, long endBy, Runnable late) {
		Call call = new Call(Thread.currentThread(), this.nanoTime.getAsLong(), answerBy, endBy, late);
		synchronized (this.calls) {
			this.calls.add(call);
		}
		return call;
	}

	void exit(Call call) {
		call.end();
		long now = this.nanoTime.getAsLong();
		synchronized (this.calls) {
			this.lastReturn = now;
			this.calls.remove(call);
		}
	}

	int size() {
		synchronized (this.calls) {
			return this.calls.size();
		}
	}

	/**
	 * Names each call whose deadlines have passed, once for each.
	 * @param late called when the answer is late
	 * @param useless called when nobody waits for the call any more
	 */
	void findLate(Consumer<Call> late, Consumer<Call> useless) {
		long now = this.nanoTime.getAsLong();
		for (Call call : snapshot()) {
			if (now - call.answerBy >= 0 && call.tell()) {
				late.accept(call);
			}
			if (now - call.endBy >= 0 && call.giveUp()) {
				useless.accept(call);
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
		synchronized (this.calls) {
			Call oldest = this.calls.isEmpty() ? null : this.calls.getFirst();
			boolean stuck = oldest != null && now - oldest.started >= after.toNanos()
					&& now - this.lastReturn >= after.toNanos();
			return stuck ? oldest : null;
		}
	}

	private List<Call> snapshot() {
		synchronized (this.calls) {
			return List.copyOf(this.calls);
		}
	}

	/**
	 * One call inside the model, on the thread that it blocks.
	 */
	static final class Call {

		private final Thread thread;

		private final long started;

		private final long answerBy;

		private final long endBy;

		private final Runnable late;

		private boolean told;

		private boolean givenUp;

		private boolean ended;

		private Call(Thread thread, long started, long answerBy, long endBy, Runnable late) {
			this.thread = thread;
			this.started = started;
			this.answerBy = answerBy;
			this.endBy = endBy;
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

		private synchronized boolean giveUp() {
			boolean first = !this.givenUp && !this.ended;
			this.givenUp = true;
			return first;
		}

	}

}
