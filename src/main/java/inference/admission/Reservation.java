package inference.admission;

/**
 * An admitted request's share of the memory budget, and its deadline. It is closed when
 * the answer is sent. One thread uses it.
 */
public final class Reservation implements AutoCloseable {

	// A connection's buffers and its thread's stack while its request is served.
	private static final long REQUEST_BYTES = 64 * 1024;

	private final MemoryBudget budget;

	private final Deadline deadline;

	private long held;

	Reservation(MemoryBudget budget, Deadline deadline) {
		this.budget = budget;
		this.deadline = deadline;
		add(REQUEST_BYTES);
	}

	/**
	 * The moment at which the answer comes too late.
	 * @return the deadline
	 */
	public Deadline deadline() {
		return this.deadline;
	}

	/**
	 * Reserves more memory, before it is allocated.
	 * @param bytes how much more; a negative number gives memory back
	 * @throws Rejection if no request can have that much, or if other requests hold the
	 * memory now
	 */
	public void add(long bytes) {
		if (bytes > 0) {
			this.budget.reserve(bytes, this.held);
		}
		else {
			this.budget.release(-bytes);
		}
		this.held += bytes;
	}

	@Override
	public void close() {
		this.budget.release(this.held);
		this.held = 0;
	}

}
