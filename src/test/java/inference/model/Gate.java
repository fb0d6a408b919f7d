package inference.model;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * Holds threads up where a test wants them, until it lets them go.
 */
public final class Gate {

	private static final int PATIENCE_SECONDS = 10;

	private final Semaphore arrivals = new Semaphore(0);

	private final CompletableFuture<Void> opened = new CompletableFuture<>();

	/**
	 * Waits until the gate is open; called by what is to be held up.
	 */
	public void pass() {
		this.arrivals.release();
		try {
			this.opened.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
		}
		catch (InterruptedException | ExecutionException | TimeoutException ex) {
			throw new AssertionError("nobody opened the gate", ex);
		}
	}

	/**
	 * Waits in the same way, but ignores interrupts as native code does.
	 */
	public void passUninterruptibly() {
		this.arrivals.release();
		this.opened.copy().orTimeout(PATIENCE_SECONDS, TimeUnit.SECONDS).join();
	}

	/**
	 * Waits until so many more threads have come to the gate.
	 */
	public void awaitArrivals(int count) {
		try {
			if (!this.arrivals.tryAcquire(count, PATIENCE_SECONDS, TimeUnit.SECONDS)) {
				throw new AssertionError("too few came to the gate");
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
