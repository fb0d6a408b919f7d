package inference.web;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

/**
 * Runs all requests except most probes (see {@link ProbePriorityEndpoint}) on virtual
 * threads, and limits how many are active at once, first come, first served. A request
 * returns its permit while it waits for bytes of its body, for the client that reads a
 * large answer, or for the model for over 20 ms. A request gets its thread together with
 * its permit. If waiting requests had threads, the server would answer a fifth fewer
 * requests with 512 connections.
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

	private final Queue<WaitingRequest> waitingRequests = new ConcurrentLinkedQueue<>();

	private final AtomicBoolean isCheckScheduled = new AtomicBoolean();

	// The number is negative while more requests are active than there are permits.
	private final AtomicInteger freePermits;

	private final long maxPermitWaitNanos;

	@Autowired
	RequestPermits(MeterRegistry registry) {
		this(registry, MAX_ACTIVE_REQUESTS, MAX_PERMIT_WAIT);
	}

	RequestPermits(MeterRegistry registry, int maxActiveRequests, Duration maxPermitWait) {
		this.freePermits = new AtomicInteger(maxActiveRequests);
		this.maxPermitWaitNanos = maxPermitWait.toNanos();
		Gauge.builder("inference.backlog", this.waitingRequests, Queue::size)
			.description("Requests that have arrived and wait to be read")
			.register(registry);
	}

	private record WaitingRequest(Runnable request, long arrivalNanos) {
	}

	@Override
	public void execute(Runnable request) {
		this.waitingRequests.add(new WaitingRequest(request, System.nanoTime()));
		startNextRequest();
		if (!this.waitingRequests.isEmpty()) {
			scheduleCheck();
		}
	}

	// Starts the request that has waited longest, if a permit is free.
	private void startNextRequest() {
		if (this.freePermits.getAndUpdate((free) -> (free > 0) ? free - 1 : free) > 0) {
			WaitingRequest next = this.waitingRequests.poll();
			if (next != null) {
				start(next);
			}
			else {
				releasePermit();
			}
		}
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
		if (!this.waitingRequests.isEmpty()) {
			startNextRequest();
		}
	}

	// Takes a permit even if none is free.
	private void forcePermit() {
		this.freePermits.decrementAndGet();
	}

	// At most one check is scheduled at a time.
	private void scheduleCheck() {
		if (this.isCheckScheduled.compareAndSet(false, true)) {
			runCheckAfter(this.maxPermitWaitNanos);
		}
	}

	private void runCheckAfter(long delayNanos) {
		CompletableFuture.delayedExecutor(delayNanos, TimeUnit.NANOSECONDS, Thread::startVirtualThread)
			.execute(this::startOverdueRequests);
	}

	private void startOverdueRequests() {
		for (WaitingRequest next = this.waitingRequests.peek(); next != null; next = this.waitingRequests.peek()) {
			long remainingNanos = this.maxPermitWaitNanos - (System.nanoTime() - next.arrivalNanos);
			if (remainingNanos > 0) {
				runCheckAfter(remainingNanos);
				return;
			}
			if (this.waitingRequests.remove(next)) {
				forcePermit();
				start(next);
			}
		}
		this.isCheckScheduled.set(false);
		// A request that was added before the line above has scheduled no check.
		if (!this.waitingRequests.isEmpty()) {
			scheduleCheck();
		}
	}

	/**
	 * Lets another request use this request's permit while this request waits. At the end
	 * of the pause, this request takes a permit at once, even if none is free.
	 */
	Pause pause() {
		releasePermit();
		return this::forcePermit;
	}

	/**
	 * A request's wait without a permit. The request has a permit again when the pause is
	 * closed.
	 */
	interface Pause extends AutoCloseable {

		@Override
		void close();

	}

}
