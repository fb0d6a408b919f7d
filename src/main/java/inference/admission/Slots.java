package inference.admission;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;

import inference.admission.Pending.Stage;

/**
 * The places inside the model, and the queue for them: first come, first served, except
 * that whatever can run together with a call joins it.
 */
final class Slots {

	private final ReentrantLock lock = new ReentrantLock();

	private final Condition arrival = this.lock.newCondition();

	private final Deque<Pending> queue = new ArrayDeque<>();

	private final int count;

	private final RequestThreads threads;

	// Written under the lock, and read without it where a moment ago is good enough.
	private volatile int free;

	private volatile int queued;

	private boolean gathering;

	Slots(int count, RequestThreads threads) {
		this.count = count;
		this.threads = threads;
		this.free = count;
	}

	int free() {
		return this.free;
	}

	int running() {
		return this.count - this.free;
	}

	int queued() {
		return this.queued;
	}

	/**
	 * Takes a free slot, or else a place in the queue.
	 * @param call who wants it
	 * @param admit told how many wait already, may refuse one more by an exception
	 * @return whether it is a slot
	 */
	boolean enter(Pending call, IntConsumer admit) {
		this.lock.lock();
		try {
			if (this.free > 0 && !this.gathering) {
				publish(this.free - 1);
				return true;
			}
			// Those for whom a slot is kept do not wait for it.
			if (this.free == 0) {
				admit.accept(this.queue.size());
			}
			this.queue.add(call);
			publish(this.free);
			if (this.gathering) {
				this.arrival.signal();
			}
			return false;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Waits for the turn of a call that is in the queue.
	 * @param call of this thread
	 * @return whether it has a slot; if not, it has an outcome
	 * @throws Refusal if the deadline passes meanwhile
	 */
	boolean await(Pending call) {
		try (Pause _ = this.threads.pause()) {
			awaitTurn(call);
		}
		return call.stage() != Stage.DONE;
	}

	private void awaitTurn(Pending call) {
		while (call.stage().isWaiting()) {
			LockSupport.parkNanos(this, call.remaining());
			boolean interrupted = Thread.interrupted();
			// Unless its turn has come meanwhile: then the slot is to be used.
			if ((interrupted || call.remaining() <= 0) && (leave(call) || call.stage() == Stage.TAKEN)) {
				throw interrupted ? Refusal.interrupted() : call.deadline().exceeded("waited for the model");
			}
		}
	}

	// False if its turn has come.
	private boolean leave(Pending call) {
		this.lock.lock();
		try {
			boolean waited = this.queue.remove(call);
			publish(this.free);
			return waited;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Takes calls out of the queue to be run along with one that has a slot. Those whose
	 * clients have hung up meanwhile are not worth it.
	 * @param leader the one that has a slot
	 * @param most how many rows may run together
	 * @param patience how long to wait for more, in nanoseconds
	 * @return the leader, then those it takes along
	 */
	List<Pending> claim(Pending leader, long most, long patience) throws InterruptedException {
		if (most <= 1 || (this.queued == 0 && patience == 0)) {
			return List.of(leader);
		}
		this.lock.lockInterruptibly();
		try {
			if (patience > 0 && !this.gathering) {
				gather(leader, most, patience);
			}
			List<Pending> calls = claim(leader, most);
			callNext();
			return calls;
		}
		finally {
			this.lock.unlock();
		}
	}

	/**
	 * Takes the calls out of the queue that are to be run next, by whoever has a slot.
	 * @param most how many rows may run together
	 * @return those, none if nobody waits
	 */
	List<Pending> next(long most) {
		if (this.queued == 0) {
			return List.of();
		}
		this.lock.lock();
		try {
			for (Pending next = this.queue.poll(); next != null; next = this.queue.poll()) {
				if (take(next)) {
					return claim(next, most);
				}
			}
			return List.of();
		}
		finally {
			this.lock.unlock();
		}
	}

	/** Gives a slot back: whoever has waited longest gets it. */
	void release() {
		this.lock.lock();
		try {
			publish(this.free + 1);
			callNext();
		}
		finally {
			this.lock.unlock();
		}
	}

	private void gather(Pending leader, long most, long patience) throws InterruptedException {
		this.gathering = true;
		try {
			long rest = patience;
			while (rest > 0 && Batch.rows(leader.inputs()) + rowsFor(leader) < most) {
				rest = this.arrival.awaitNanos(rest);
			}
		}
		finally {
			this.gathering = false;
		}
	}

	private long rowsFor(Pending leader) {
		return this.queue.stream()
			.filter((call) -> Batch.fits(call.inputs(), leader.inputs()))
			.mapToLong((call) -> Batch.rows(call.inputs()))
			.sum();
	}

	private List<Pending> claim(Pending leader, long most) {
		List<Pending> calls = new ArrayList<>();
		calls.add(leader);
		long rows = Batch.rows(leader.inputs());
		for (Iterator<Pending> waiting = this.queue.iterator(); waiting.hasNext() && rows < most;) {
			Pending call = waiting.next();
			if (Batch.fits(call.inputs(), leader.inputs()) && rows + Batch.rows(call.inputs()) <= most) {
				waiting.remove();
				if (take(call)) {
					calls.add(call);
					rows += Batch.rows(call.inputs());
				}
			}
		}
		publish(this.free);
		return calls;
	}

	// The client is asked before its own thread can know that the wait is over, or both
	// would use the connection.
	private static boolean take(Pending call) {
		try {
			if (call.client().isGone()) {
				call.fail(new Refusal.ClientGone());
				return false;
			}
		}
		catch (RuntimeException ex) {
			call.fail(ex);
			return false;
		}
		call.take();
		return true;
	}

	private void publish(int free) {
		this.free = free;
		this.queued = this.queue.size();
	}

	private void callNext() {
		while (this.free > 0 && !this.queue.isEmpty() && !this.gathering) {
			this.queue.remove().call();
			publish(this.free - 1);
		}
	}

}
