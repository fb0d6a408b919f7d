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
 * Runs all requests except most probes (see {@link ProbePriorityEndpoint}) on virtual
 * threads, and limits how many are active at once, first come, first served. A request
 * returns its permit while it waits for bytes of its body, for the client that reads a
 * large answer, or for the model for over 20 ms.
 * <p>
 * Without a limit, thousands of active requests on a few CPUs fill the heap with Tomcat's
 * buffers, 80 KB for each request, and block each other at Tomcat's locks. With 2,000
 * connections the server answers 25,000 requests a second without the limit and 36,000
 * with it. During short waits for the model, a request keeps its permit. If it returned
 * the permit, thousands of requests would fill a fast model's queue and be rejected.
 */
@Component
final class RequestPermits implements Executor {

	// The number of requests that may be active at once. If there are only as many
	// permits as carrier threads, a small model serves a fifth fewer requests.
	private static final int MAX_ACTIVE_REQUESTS = 64;

	// A request that has waited for this time runs even if no permit is free. Without
	// this rule, requests that block while they hold permits, for example in a filter
	// that a fork adds, would stop all other requests.
	private static final Duration MAX_PERMIT_WAIT = Duration.ofSeconds(1);

	private final ThreadFactory threadFactory = Thread.ofVirtual().name("request-", 0).factory();

	private final FairPermits permits;

	private final Duration maxPermitWait;

	@Autowired
	RequestPermits(MeterRegistry registry) {
		this(registry, MAX_ACTIVE_REQUESTS, MAX_PERMIT_WAIT);
	}

	RequestPermits(MeterRegistry registry, int maxActiveRequests, Duration maxPermitWait) {
		this.permits = new FairPermits(maxActiveRequests);
		this.maxPermitWait = maxPermitWait;
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
			if (!this.permits.tryAcquire(this.maxPermitWait.toNanos(), TimeUnit.NANOSECONDS)) {
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
			// Nothing in this server interrupts the thread of a request.
			Thread.currentThread().interrupt();
		}
	}

	/**
	 * Runs a blocking task while another request may use this request's permit. After the
	 * task, this request takes a permit at once, even if none is free.
	 * @param task blocks until the client sends or reads bytes
	 * @return the result of the task
	 */
	<T> T awaitWithoutPermit(BlockingTask<T> task) throws IOException {
		this.permits.release();
		try {
			return task.run();
		}
		finally {
			this.permits.forceAcquire();
		}
	}

	/**
	 * Runs a blocking task, and returns the permit only if the task blocks for long.
	 * @param task gets a function that returns the permit, and calls it once the task has
	 * blocked for 20 ms or until its deadline
	 * @return the result of the task
	 */
	<T> T awaitWithPermitAtFirst(Function<Runnable, T> task) {
		AtomicBoolean isReleased = new AtomicBoolean();
		try {
			return task.apply(() -> {
				isReleased.set(true);
				this.permits.release();
			});
		}
		finally {
			if (isReleased.get()) {
				this.permits.forceAcquire();
			}
		}
	}

	/**
	 * A task that blocks while it waits for a client.
	 */
	@FunctionalInterface
	interface BlockingTask<T> {

		T run() throws IOException;

	}

	/**
	 * A fair semaphore from which a permit can be taken at once even if none is free. The
	 * number of free permits is negative then.
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
