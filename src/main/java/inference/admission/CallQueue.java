package inference.admission;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

/**
 * The queue of calls in front of the model threads, first in, first out. A model thread
 * takes the first call, together with those behind it that fit into a batch with it.
 */
final class CallQueue {

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition arrival = this.lock.newCondition();

	// Signalled in place of the other while a thread gathers a batch.
	private final Condition joining = this.lock.newCondition();

	private final Deque<Call> calls = new ArrayDeque<>();

	private final int threads;

	// The calls' number and the threads that run some. Both are also read without the
	// lock, as estimates.
	private volatile int size;

	private final AtomicInteger busyThreads = new AtomicInteger();

	private boolean gathering;

	/**
	 * An empty queue.
	 * @param threads how many threads take calls
	 */
	CallQueue(int threads) {
		this.threads = threads;
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
		return this.threads - this.busyThreads.get() > this.size;
	}

	/**
	 * Appends a call.
	 * @param call to be taken by a model thread
	 * @param admit is given the number of calls that wait if no thread is idle, and may
	 * reject one more by an exception
	 */
	void add(Call call, IntConsumer admit) {
		this.lock.lock();
		try {
			if (!hasIdleThread()) {
				admit.accept(this.calls.size());
			}
			this.calls.add(call);
			this.size = this.calls.size();
			(this.gathering ? this.joining : this.arrival).signal();
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
	 * Takes the next call, and waits until there is one. The thread is busy until it
	 * calls {@link #release}.
	 * @param maxRows how many rows may run together; 1 for no batches
	 * @param maxDelay for how many nanoseconds the first call waits for a full batch
	 * @return the calls to run together, at least one
	 */
	List<Call> take(int maxRows, long maxDelay) throws InterruptedException {
		this.lock.lockInterruptibly();
		try {
			awaitCalls(maxRows, maxDelay);
			List<Call> batch = poll(maxRows);
			this.busyThreads.incrementAndGet();
			this.size = this.calls.size();
			if (this.size > 0) {
				this.arrival.signal();
			}
			return batch;
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Marks a thread as idle. */
	void release() {
		this.busyThreads.decrementAndGet();
	}

	private void awaitCalls(int maxRows, long maxDelay) throws InterruptedException {
		while (this.calls.isEmpty() || this.gathering) {
			this.arrival.await();
		}
		if (maxRows <= 1 || maxDelay <= 0) {
			return;
		}
		// One thread at a time gathers a batch, or each would take a part of it.
		this.gathering = true;
		try {
			long rest = maxDelay;
			while (rest > 0 && rowsOfBatch(maxRows) < maxRows) {
				rest = this.joining.awaitNanos(rest);
			}
			while (this.calls.isEmpty()) {
				this.joining.await();
			}
		}
		finally {
			this.gathering = false;
		}
	}

	private long rowsOfBatch(int maxRows) {
		return this.calls.isEmpty() ? 0 : rows(batch(maxRows));
	}

	private static long rows(List<Call> calls) {
		return calls.stream().mapToLong((call) -> Batch.rows(call.inputs())).sum();
	}

	private List<Call> poll(int maxRows) {
		if (maxRows <= 1) {
			return List.of(this.calls.remove());
		}
		List<Call> batch = batch(maxRows);
		this.calls.removeAll(batch);
		return batch;
	}

	private List<Call> batch(int maxRows) {
		Iterator<Call> waiting = this.calls.iterator();
		Call first = waiting.next();
		List<Call> batch = new ArrayList<>(List.of(first));
		long rows = Batch.rows(first.inputs());
		while (waiting.hasNext() && rows < maxRows) {
			Call call = waiting.next();
			long more = Batch.rows(call.inputs());
			if (rows + more <= maxRows && Batch.fits(call.inputs(), first.inputs())) {
				batch.add(call);
				rows += more;
			}
		}
		return batch;
	}

}
