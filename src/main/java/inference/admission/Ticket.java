package inference.admission;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A request's leave to be read and to wait: when its answer comes too late, and how much
 * memory it fills meanwhile. To be closed when the answer is sent.
 */
public final class Ticket implements AutoCloseable {

	private final Deadline deadline;

	private final AtomicLong memory;

	private final long most;

	private long filled;

	Ticket(Deadline deadline, AtomicLong memory, long most) {
		this.deadline = deadline;
		this.memory = memory;
		this.most = most;
	}

	/**
	 * When the answer comes too late.
	 * @return the deadline, from the request's arrival
	 */
	public Deadline deadline() {
		return this.deadline;
	}

	/**
	 * Takes memory for what the client sends. A request that is alone gets all it wants.
	 * @param bytes how much more
	 * @throws Refusal.Overloaded if other requests fill the memory
	 */
	public void fill(long bytes) {
		this.filled += bytes;
		long all = this.memory.addAndGet(bytes);
		if (all > this.most && all > this.filled) {
			throw new Refusal.Overloaded("The server is busy: the bodies of other requests fill its memory",
					Duration.ofSeconds(1));
		}
	}

	@Override
	public void close() {
		this.memory.addAndGet(-this.filled);
	}

}
