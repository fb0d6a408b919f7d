package inference.model;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A gate at which threads wait until a test opens it.
 */
public final class Gate {

	private static final int TIMEOUT_SECONDS = 10;

	private final Semaphore arrivals = new Semaphore(0);

	private final CompletableFuture<Void> opened = new CompletableFuture<>();

	/** Waits until the gate is open. */
	public void pass() {
		this.arrivals.release();
		try {
			this.opened.get(TIMEOUT_SECONDS, TimeUnit.SECONDS);
		}
		catch (InterruptedException | ExecutionException | TimeoutException ex) {
			throw new AssertionError("nobody opened the gate", ex);
		}
	}

	/** Waits until the gate is open, and ignores interrupts as native code does. */
	public void passUninterruptibly() {
		this.arrivals.release();
		this.opened.copy().orTimeout(TIMEOUT_SECONDS, TimeUnit.SECONDS).join();
	}

	/** Waits until {@code count} more threads have come to the gate. */
	public void awaitArrivals(int count) {
		try {
			if (!this.arrivals.tryAcquire(count, TIMEOUT_SECONDS, TimeUnit.SECONDS)) {
				throw new AssertionError("too few threads came to the gate");
			}
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	public void open() {
		this.opened.complete(null);
	}

}
