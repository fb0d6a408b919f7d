package inference.model;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/**
 * Holds threads up where a test wants them, until it lets them go.
 */
public final class Gate {

	private static final int PATIENCE_SECONDS = 10;

	private final Semaphore arrivals = new Semaphore(0);

	private final CountDownLatch opened = new CountDownLatch(1);

	/**
	 * Waits until the gate is open; called by what is to be held up.
	 */
	public void pass() {
		this.arrivals.release();
		require(() -> this.opened.await(PATIENCE_SECONDS, TimeUnit.SECONDS), "nobody opened the gate");
	}

	/**
	 * Waits until so many more threads have come to the gate.
	 */
	public void awaitArrivals(int count) {
		require(() -> this.arrivals.tryAcquire(count, PATIENCE_SECONDS, TimeUnit.SECONDS), "too few came to the gate");
	}

	public void open() {
		this.opened.countDown();
	}

	private static void require(Wait wait, String otherwise) {
		try {
			if (!wait.succeeds()) {
				throw new AssertionError(otherwise);
			}
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	private interface Wait {

		boolean succeeds() throws InterruptedException;

	}

}
