package inference.admission;

import java.util.concurrent.atomic.AtomicLong;

import inference.admission.Rejection.Kind;

/**
 * The memory that requests may take for bodies, tensors and answers, including estimates
 * of the native memory of texts and maps. It is half of the heap's size. The memory is
 * reserved before it is allocated, so that a flood of requests cannot exhaust the heap.
 */
final class MemoryBudget {

	// Half of the heap is left for Spring, connections and garbage.
	private static final int HEAP_DIVISOR = 2;

	// A quarter of the budget is for small requests only, so that clients that read large
	// answers slowly do not block small requests.
	private static final int SMALL_REQUEST_RESERVE_DIVISOR = 4;

	private static final long MAX_SMALL_REQUEST_BYTES = 256 * 1024;

	private final AtomicLong reservedBytes = new AtomicLong();

	private final long maxBytes;

	MemoryBudget() {
		this(Runtime.getRuntime().maxMemory() / HEAP_DIVISOR);
	}

	MemoryBudget(long maxBytes) {
		this.maxBytes = maxBytes;
	}

	long maxBytes() {
		return this.maxBytes;
	}

	long reservedBytes() {
		return this.reservedBytes.get();
	}

	/**
	 * Reserves memory for a request, or releases it.
	 * @param bytes the change, in bytes; negative if memory is released
	 * @param heldBytes the memory that the request has reserved already, in bytes
	 * @throws Rejection see {@link Reservation#add}
	 */
	void add(long bytes, long heldBytes) {
		long maxRequestBytes = this.maxBytes - this.maxBytes / SMALL_REQUEST_RESERVE_DIVISOR;
		if (bytes > maxRequestBytes - heldBytes) {
			throw new Rejection(Kind.TOO_LARGE,
					"The request and its answer need more than the %d MB of memory that a request can have: send fewer rows per request, or give the server more memory"
						.formatted(maxRequestBytes >> 20));
		}
		long limitBytes = (heldBytes + bytes <= MAX_SMALL_REQUEST_BYTES) ? this.maxBytes : maxRequestBytes;
		if (this.reservedBytes.addAndGet(bytes) > limitBytes && bytes > 0) {
			this.reservedBytes.addAndGet(-bytes);
			throw Rejection.memoryFull();
		}
	}

}
