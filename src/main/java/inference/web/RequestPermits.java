package inference.web;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Runs requests other than probes on virtual threads, and bounds how many are at work at
 * once, first come, first served. A request returns its permit while it waits for body
 * bytes, for a slow reader of a large answer, or for the model for over 20 ms.
 * <p>
 * Without a bound, thousands of requests at work on a few CPUs fill the heap with
 * Tomcat's buffers, 80 KB for each, and queue up at Tomcat's locks. With 2,000
 * connections the server answers 25,000 requests a second without the bound and 36,000
 * with it. Short waits for the model keep the permit. Otherwise thousands of requests
 * would fill a fast model's queue and be rejected.
 */
@Component
final class RequestPermits implements Executor {

	// Requests that may be active at once. With one permit for each carrier thread, a
	// small model serves a fifth fewer requests.
	private static final int MAX_ACTIVE_REQUESTS = 64;

	// A request that has waited for this time takes a permit even if none is left.
	// Otherwise requests that block while they hold permits, for example in a filter of
	// your own, would stop all others.
	private static final Duration MAX_WAIT = Duration.ofSeconds(1);

	private final ThreadFactory threadFactory = Thread.ofVirtual().name("request-", 0).factory();

	private final FairPermits permits;

	private final Duration maxWait;

	@Autowired
	RequestPermits(MeterRegistry registry) {
		this(registry, MAX_ACTIVE_REQUESTS, MAX_WAIT);
	}

	RequestPermits(MeterRegistry registry, int maxActiveRequests, Duration maxWait) {
		this.permits = new FairPermits(maxActiveRequests);
		this.maxWait = maxWait;
		Gauge.builder("inference.backlog", this.permits, Semaphore::getQueueLength)
			.description("Requests that have arrived and wait to be read")
			.register(registry);
	}

	@Override
	public void execute(Runnable request) {
		this.threadFactory.newThread(() -> run(request)).start();
	}

	private void run(Runnable request) {
		try {
			if (!this.permits.tryAcquire(this.maxWait.toNanos(), TimeUnit.NANOSECONDS)) {
				this.permits.forceAcquire();
			}
			try {
				request.run();
			}
			finally {
				this.permits.release();
			}
		}
		catch (InterruptedException ex) {
			// Nobody interrupts a request's thread.
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Waits for something without a permit. Afterwards the request goes on at once: it
	 * does not queue for a permit again.
	 * @param task blocks
	 * @return the result
	 */
	<T> T awaitWithoutPermit(Wait<T> task) throws IOException {
		this.permits.release();
		try {
			return task.run();
		}
		finally {
			this.permits.forceAcquire();
		}
	}

	/**
	 * Waits for something, and gives the permit back only if the wait is long.
	 * @param task waits, and runs the given Runnable after 20 ms
	 * @return the result
	 */
	<T> T awaitWithPermitAtFirst(Function<Runnable, T> task) {
		AtomicBoolean released = new AtomicBoolean();
		try {
			return task.apply(() -> {
				released.set(true);
				this.permits.release();
			});
		}
		finally {
			if (released.get()) {
				this.permits.forceAcquire();
			}
		}
	}

	/**
	 * A wait for a client.
	 */
	@FunctionalInterface
	interface Wait<T> {

		T run() throws IOException;

	}

	/**
	 * A fair semaphore of which a permit can be taken without waiting, even if none is
	 * left.
	 */
	private static final class FairPermits extends Semaphore {

		private FairPermits(int permits) {
			super(permits, true);
		}

		private void forceAcquire() {
			reducePermits(1);
		}

	}

}
