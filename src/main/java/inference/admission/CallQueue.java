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

	// It is signalled in place of arrival while a thread waits to fill a batch.
	private final Condition arrivalWhileFilling = this.lock.newCondition();

	private final Deque<Call> calls = new ArrayDeque<>();

	private final AtomicInteger busyThreads = new AtomicInteger();

	private final int threadCount;

	// The number of calls. It is also read without the lock, as an estimate.
	private volatile int size;

	private boolean isFillingBatch;

	CallQueue(int threadCount) {
		this.threadCount = threadCount;
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
	 * @param check throws to reject the call; no other call is added in the meantime
	 */
	void add(Call call, Runnable check) {
		this.lock.lock();
		try {
			check.run();
			this.calls.add(call);
			this.size = this.calls.size();
			(this.isFillingBatch ? this.arrivalWhileFilling : this.arrival).signal();
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
	 * Waits for the next call, and takes its batch. The thread is busy until it calls
	 * {@link #markIdle}.
	 * @param maxRows the most rows that run together; 1 for no batches
	 * @param maxDelay the time to wait for a full batch, in nanoseconds
	 * @return the calls to run together, at least one
	 */
	List<Call> takeBatch(int maxRows, long maxDelay) throws InterruptedException {
		this.lock.lockInterruptibly();
		try {
			while (this.calls.isEmpty() || this.isFillingBatch) {
				this.arrival.await();
			}
			awaitFullBatch(maxRows, maxDelay);
			List<Call> batch = firstBatch(maxRows);
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

	// Only one thread at a time waits for a full batch. Two would each get a part of it.
	private void awaitFullBatch(int maxRows, long maxDelay) throws InterruptedException {
		this.isFillingBatch = true;
		try {
			long rest = maxDelay;
			while (this.calls.isEmpty() || (rest > 0 && rows(firstBatch(maxRows)) < maxRows)) {
				if (this.calls.isEmpty()) {
					this.arrivalWhileFilling.await();
				}
				else {
					rest = this.arrivalWhileFilling.awaitNanos(rest);
				}
			}
		}
		finally {
			this.isFillingBatch = false;
		}
	}

	private static long rows(List<Call> calls) {
		return calls.stream().mapToLong(Call::rowCount).sum();
	}

	private List<Call> firstBatch(int maxRows) {
		List<Call> batch = new ArrayList<>();
		long rows = 0;
		for (Call call : this.calls) {
			if (batch.isEmpty()
					|| (rows + call.rowCount() <= maxRows && Batch.fits(call.inputs(), batch.getFirst().inputs()))) {
				batch.add(call);
				rows += call.rowCount();
			}
			// If max-size is 1, even a call without rows runs alone.
			if (maxRows == 1 || rows >= maxRows) {
				break;
			}
		}
		return batch;
	}

}
