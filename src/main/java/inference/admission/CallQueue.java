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
 * takes the first call, together with those behind it that fit into a batch with it.
 */
final class CallQueue {

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition arrival = this.lock.newCondition();

	private final Deque<Call> calls = new ArrayDeque<>();

	private final AtomicInteger busyThreads = new AtomicInteger();

	private final int threadCount;

	private final Batching batching;

	// The number of calls. It is also read without the lock, as an estimate.
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

	/** Whether a call that comes now would be taken at once. */
	boolean hasIdleThread() {
		return this.threadCount - this.busyThreads.get() > this.size;
	}

	/**
	 * Appends a call.
	 * @param admissionCheck throws to reject the call; no other call is added in the
	 * meantime
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

	/** Removes a call for which nobody waits any more, if no thread has taken it. */
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
	 * Waits for the next batch, and takes it. The thread is busy until it calls
	 * {@link #markIdle}.
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

	// Waits until the first batch is full, or its first call has waited long enough.
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
			// If max-size is 1, even a call without rows runs alone.
			if (maxRows == 1 || rowCount >= maxRows) {
				break;
			}
		}
		return batch;
	}

}
