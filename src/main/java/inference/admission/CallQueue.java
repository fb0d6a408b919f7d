package inference.admission;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The queue of calls in front of the model threads, first in, first out. A model thread
 * takes the first call, together with the calls behind it that fit into the same batch.
 */
final class CallQueue {

	private final Deque<Call> calls = new ArrayDeque<>();

	private final int threadCount;

	private final Batching batching;

	private int busyThreads;

	private boolean isClosed;

	CallQueue(int threadCount, Batching batching) {
		this.threadCount = threadCount;
		this.batching = batching;
	}

	synchronized int size() {
		return this.calls.size();
	}

	synchronized int busyThreads() {
		return this.busyThreads;
	}

	/** Whether a model thread would be free for a call that arrives now. */
	synchronized boolean hasIdleThread() {
		return this.threadCount - this.busyThreads > this.calls.size();
	}

	/**
	 * Appends a call.
	 * @param admissionCheck throws an exception if the call must be rejected. It runs
	 * under the queue's lock, so that no other call is added meanwhile
	 */
	synchronized void add(Call call, Runnable admissionCheck) {
		admissionCheck.run();
		this.calls.add(call);
		// Waking one thread is enough, because only model threads wait, and takeBatch()
		// wakes the next one if calls are left.
		notify();
	}

	/** Removes a call that no request waits for, unless a model thread has taken it. */
	synchronized void remove(Call call) {
		this.calls.remove(call);
	}

	/**
	 * Waits for the next batch, and takes it. The calling thread counts as busy until it
	 * calls {@link #markIdle}.
	 * @return the calls to run together, at least one
	 * @throws InterruptedException if the thread is interrupted while it waits, or finds
	 * the queue closed
	 */
	synchronized List<Call> takeBatch() throws InterruptedException {
		List<Call> batch = firstBatch();
		for (long nanos = nanosUntilRun(batch); nanos > 0; nanos = nanosUntilRun(batch)) {
			TimeUnit.NANOSECONDS.timedWait(this, nanos);
			batch = firstBatch();
		}
		if (this.isClosed) {
			throw new InterruptedException("the server closes");
		}
		batch.forEach(this.calls::remove);
		this.busyThreads++;
		if (!this.calls.isEmpty()) {
			notify();
		}
		return batch;
	}

	/**
	 * Keeps threads from taking the calls that are left. A thread that waits already has
	 * to be interrupted.
	 */
	synchronized void close() {
		this.isClosed = true;
	}

	synchronized void markIdle() {
		this.busyThreads--;
	}

	// A batch runs when it is full, or its first call has waited for max-delay.
	private long nanosUntilRun(List<Call> batch) {
		if (batch.isEmpty()) {
			return Long.MAX_VALUE;
		}
		boolean isFull = batch.stream().mapToLong(Call::rowCount).sum() >= this.batching.maxRows();
		return isFull ? 0 : this.batching.maxDelayNanos() - batch.getFirst().waitedNanos();
	}

	private List<Call> firstBatch() {
		int maxRows = this.batching.maxRows();
		List<Call> batch = new ArrayList<>();
		long rowCount = 0;
		for (Call call : this.calls) {
			if (batch.isEmpty() || (rowCount + call.rowCount() <= maxRows
					&& Batch.canJoin(call.inputs(), batch.getFirst().inputs()))) {
				batch.add(call);
				rowCount += call.rowCount();
			}
			// If maxRows is 1, requests are not batched, not even calls with 0 rows.
			if (maxRows == 1 || rowCount >= maxRows) {
				break;
			}
		}
		return batch;
	}

}
