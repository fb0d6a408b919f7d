package inference.admission;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The queue of calls in front of the model threads, first in, first out. A model thread
 * takes the first call, together with the calls behind it that fit into the same batch.
 */
final class CallQueue {

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition arrival = this.lock.newCondition();

	private final Deque<Call> calls = new ArrayDeque<>();

	private final AtomicInteger busyThreads = new AtomicInteger();

	private final int threadCount;

	private final Batching batching;

	// Other threads read this number as an estimate, without the lock.
	private volatile int size;

	CallQueue(int threadCount, Batching batching) {
		this.threadCount = threadCount;
		this.batching = batching;
	}

	/** The number of calls that wait for a model thread. */
	int size() {
		return this.size;
	}

	/** The number of model threads that run calls. */
	int busyThreads() {
		return this.busyThreads.get();
	}

	/** Whether a model thread would be free for a call that arrives now. */
	boolean hasIdleThread() {
		return this.threadCount - this.busyThreads.get() > this.size;
	}

	/**
	 * Appends a call.
	 * @param admissionCheck throws an exception if the call must be rejected. It runs
	 * under the queue's lock, so no other call is added between the check and this call
	 */
	void add(Call call, Runnable admissionCheck) {
		this.lock.lock();
		try {
			admissionCheck.run();
			this.calls.add(call);
			this.size = this.calls.size();
			this.arrival.signal();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Removes a call that no request waits for, unless a model thread has taken it. */
	void remove(Call call) {
		this.lock.lock();
		try {
			this.calls.remove(call);
			this.size = this.calls.size();
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Waits for the next batch, and takes it. The calling thread counts as busy until it
	 * calls {@link #markIdle}.
	 * @return the calls to run together, at least one
	 */
	List<Call> takeBatch() throws InterruptedException {
		this.lock.lockInterruptibly();
		try {
			List<Call> batch = awaitBatch();
			batch.forEach(this.calls::remove);
			this.size = this.calls.size();
			this.busyThreads.incrementAndGet();
			if (this.size > 0) {
				this.arrival.signal();
			}
			return batch;
		}
		finally {
			this.lock.unlock();
		}
	}

	void markIdle() {
		this.busyThreads.decrementAndGet();
	}

	// Waits until the first batch is full, or its first call has waited for max-delay.
	private List<Call> awaitBatch() throws InterruptedException {
		while (true) {
			int maxRows = this.batching.maxRows();
			List<Call> batch = firstBatch(maxRows);
			if (batch.isEmpty()) {
				this.arrival.await();
				continue;
			}
			long rowCount = batch.stream().mapToLong(Call::rowCount).sum();
			long remainingDelayNanos = this.batching.maxDelayNanos() - batch.getFirst().waitedNanos();
			if (rowCount >= maxRows || remainingDelayNanos <= 0) {
				return batch;
			}
			this.arrival.awaitNanos(remainingDelayNanos);
		}
	}

	private List<Call> firstBatch(int maxRows) {
		List<Call> batch = new ArrayList<>();
		long rowCount = 0;
		for (Call call : this.calls) {
			if (batch.isEmpty() || (rowCount + call.rowCount() <= maxRows
					&& Batch.fits(call.inputs(), batch.getFirst().inputs()))) {
				batch.add(call);
				rowCount += call.rowCount();
			}
			// If maxRows is 1, requests are not batched, so a call with 0 rows runs
			// alone, too.
			if (maxRows == 1 || rowCount >= maxRows) {
				break;
			}
		}
		return batch;
	}

}
