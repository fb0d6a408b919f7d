package inference.web;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Runs requests on virtual threads, first come, first served, and limits how many are
 * active at once. Without a limit, thousands of requests would fill the heap with
 * Tomcat's buffers and block each other at Tomcat's locks. Most probes do not come here,
 * see {@link ProbePriorityEndpoint}.
 * <p>
 * A request gets its thread together with its permit. It returns the permit while it
 * waits for its body or for a client that reads slowly, and after it has waited for the
 * model for 20 ms. {@code src/decisions.md} has the measurements.
 */
@Component
final class RequestExecutor implements Executor {

	// The number of requests that may be active at once. If there are only as many
	// permits as carrier threads, a small model serves a fifth fewer requests.
	private static final int MAX_ACTIVE_REQUESTS = 64;

	// A request that has waited for this time runs even if no permit is free. Without
	// this rule, requests that block while they hold permits, for example in a filter
	// that a fork adds, would stop all other requests.
	private static final Duration MAX_PERMIT_WAIT = Duration.ofSeconds(1);

	// A check runs five times in MAX_PERMIT_WAIT, so a request waits up to a fifth
	// longer.
	private static final int OVERDUE_CHECKS_PER_WAIT = 5;

	private final ThreadFactory threadFactory = Thread.ofVirtual().name("request-", 0).factory();

	private final Queue<WaitingRequest> waitingRequests = new ConcurrentLinkedQueue<>();

	// The number is negative while more requests are active than there are permits.
	private final AtomicInteger freePermits;

	private final int maxActiveRequests;

	private final long maxPermitWaitNanos;

	@Autowired
	RequestExecutor(MeterRegistry registry) {
		this(registry, MAX_ACTIVE_REQUESTS, MAX_PERMIT_WAIT);
	}

	RequestExecutor(MeterRegistry registry, int maxActiveRequests, Duration maxPermitWait) {
		this.freePermits = new AtomicInteger(maxActiveRequests);
		this.maxActiveRequests = maxActiveRequests;
		this.maxPermitWaitNanos = maxPermitWait.toNanos();
		Gauge.builder("inference.backlog", this.waitingRequests, Queue::size)
			.description("Requests that have arrived and wait to be read")
			.register(registry);
		long checkIntervalNanos = this.maxPermitWaitNanos / OVERDUE_CHECKS_PER_WAIT;
		Thread.ofVirtual().name("overdue-check").start(() -> {
			while (true) {
				LockSupport.parkNanos(checkIntervalNanos);
				startOverdueRequests();
			}
		});
	}

	private record WaitingRequest(Runnable request, long arrivalNanos) {
	}

	/** Whether no request waits for a permit, and no request has one. */
	boolean isIdle() {
		return this.waitingRequests.isEmpty() && this.freePermits.get() >= this.maxActiveRequests;
	}

	@Override
	public void execute(Runnable request) {
		this.waitingRequests.add(new WaitingRequest(request, System.nanoTime()));
		startWaitingRequests();
	}

	// Starts the requests that have waited longest, one for each free permit.
	private void startWaitingRequests() {
		while (!this.waitingRequests.isEmpty() && tryTakePermit()) {
			WaitingRequest next = this.waitingRequests.poll();
			if (next != null) {
				start(next);
			}
			else {
				this.freePermits.incrementAndGet();
			}
		}
	}

	private boolean tryTakePermit() {
		return this.freePermits.getAndUpdate((free) -> (free > 0) ? free - 1 : free) > 0;
	}

	private void start(WaitingRequest next) {
		this.threadFactory.newThread(() -> {
			try {
				next.request.run();
			}
			finally {
				releasePermit();
			}
		}).start();
	}

	private void releasePermit() {
		this.freePermits.incrementAndGet();
		startWaitingRequests();
	}

	// Takes a permit even if none is free.
	private void forcePermit() {
		this.freePermits.decrementAndGet();
	}

	private void startOverdueRequests() {
		long latestOverdueArrivalNanos = System.nanoTime() - this.maxPermitWaitNanos;
		WaitingRequest next = this.waitingRequests.peek();
		while (next != null && next.arrivalNanos - latestOverdueArrivalNanos <= 0) {
			if (this.waitingRequests.remove(next)) {
				forcePermit();
				start(next);
			}
			next = this.waitingRequests.peek();
		}
	}

	/**
	 * Lets another request use this request's permit while this request waits. At the end
	 * of the wait, this request takes a permit at once, even if none is free.
	 */
	Wait beginWait() {
		releasePermit();
		return this::forcePermit;
	}

	/**
	 * A request's wait without a permit. The request has a permit again when the wait is
	 * closed.
	 */
	interface Wait extends AutoCloseable {

		@Override
		void close();

	}

}
