package inference.admission;

import java.lang.ScopedValue.CallableOp;
import java.util.concurrent.Semaphore;

import org.springframework.stereotype.Component;

/**
 * Bounds how many threads decode or encode large tensors at once: one for each CPU, half
 * of the carriers. A virtual thread that computes keeps its carrier, and the other
 * carriers are for probes.
 */
@Component
public final class CodecPermits {

	// With fewer bytes, to wait for a permit would take longer than the work.
	private static final int MIN_BYTES = 16 * 1024;

	private final Semaphore permits = new Semaphore(Runtime.getRuntime().availableProcessors(), true);

	/** Whether a message or tensors of this size are decoded or encoded with a permit. */
	public static boolean isNeeded(long bytes) {
		return bytes >= MIN_BYTES;
	}

	/**
	 * Runs a task, with a permit if it is needed.
	 * @param bytes the size of the message or of the tensors
	 * @param task computes, and blocks only in {@link #callWithoutPermit}
	 */
	public <T, E extends Throwable> T callWithPermit(long bytes, CallableOp<T, E> task) throws E {
		if (!isNeeded(bytes)) {
			return task.call();
		}
		this.permits.acquireUninterruptibly();
		try {
			return task.call();
		}
		finally {
			this.permits.release();
		}
	}

	/**
	 * Gives the permit back while a task inside of {@link #callWithPermit} blocks.
	 * @param task waits for a client
	 */
	public <T, E extends Throwable> T callWithoutPermit(CallableOp<T, E> task) throws E {
		this.permits.release();
		try {
			return task.call();
		}
		finally {
			this.permits.acquireUninterruptibly();
		}
	}

}
