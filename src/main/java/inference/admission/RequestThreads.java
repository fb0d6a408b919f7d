package inference.admission;

import java.time.Duration;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

import inference.model.ModelProperties;

/**
 * The virtual threads of requests: a few are at work at once, the other requests have not
 * begun, first come, first served. A thread that waits for the model or for its client is
 * not at work, and does not have to stand in line again.
 * <p>
 * Thousands at work on a few CPUs would do harm: each holds Tomcat's buffers, and when
 * the system preempts one inside a lock of Tomcat's, all the others run into it, to be
 * woken one by one, each behind all that are ready to run.
 */
@Component
public final class RequestThreads implements AutoCloseable {

	// Per CPU, besides those inside the model: most of them are about to run.
	private static final int AT_WORK = 8;

	// If none has ended or paused for so long, those at work wait for something that
	// nobody told of, and must not keep others, probes first of all, from beginning.
	private static final Duration STALLED = Duration.ofMillis(10);

	private final ThreadFactory threads = Thread.ofVirtual().name("tomcat-handler-", 0).factory();

	private final AtomicInteger atWork = new AtomicInteger();

	private final Queue<Waiting> backlog = new ConcurrentLinkedQueue<>();

	// Of those whose first request has stood in line and has not been asked about yet
	private final Map<Thread, Long> arrivals = new ConcurrentHashMap<>();

	// Changes whenever one ends or pauses, which is all that is asked of it.
	private final AtomicLong turns = new AtomicLong();

	private final Set<Thread> retired = ConcurrentHashMap.newKeySet();

	private final AtomicBoolean observed = new AtomicBoolean();

	private final ScheduledExecutorService observer = Executors
		.newSingleThreadScheduledExecutor(Thread.ofPlatform().daemon().name("request-threads").factory());

	private final int most;

	private final Duration stalled;

	@Autowired
	RequestThreads(ModelProperties model, AdmissionProperties properties, MeterRegistry registry) {
		this(AT_WORK * Runtime.getRuntime().availableProcessors()
				+ properties.admission().maxConcurrent(model.threads()), STALLED);
		Gauge.builder("inference.backlog", this, RequestThreads::backlog)
			.description("Requests that have arrived and not begun")
			.register(registry);
	}

	/**
	 * Threads with limits of their own.
	 * @param most how many are at work at once
	 * @param stalled after how long in which none has ended or paused as many again may
	 * begin
	 */
	RequestThreads(int most, Duration stalled) {
		this.most = most;
		this.stalled = stalled;
	}

	/**
	 * Runs a task on a thread of its own, when its turn has come.
	 * @param task what Tomcat does for a connection
	 */
	public void execute(Runnable task) {
		if (this.backlog.isEmpty() && begin()) {
			start(task);
			return;
		}
		this.backlog.add(new Waiting(task, System.nanoTime()));
		startNext();
		observe();
	}

	/**
	 * When the request arrived that the calling thread begins to serve. To be asked once
	 * for each request of a connection: only the first can have stood in line.
	 * @return the moment, in {@link System#nanoTime()}; now for one that has not
	 */
	public long arrival() {
		Long arrived = this.arrivals.remove(Thread.currentThread());
		return (arrived != null) ? arrived : System.nanoTime();
	}

	/**
	 * Lets another one begin while the calling thread waits.
	 * @return to be closed when it is at work again
	 */
	public Pause pause() {
		leave();
		return this.atWork::incrementAndGet;
	}

	/**
	 * Lets another one begin, since whatever the calling thread has yet to do, it may
	 * wait for long.
	 */
	public void retire() {
		if (this.retired.add(Thread.currentThread())) {
			leave();
		}
	}

	/**
	 * What has not begun.
	 *
	 * @param arrived when, in {@link System#nanoTime()}
	 */
	private record Waiting(Runnable task, long arrived) {
	}

	int retired() {
		return this.retired.size();
	}

	int arrivals() {
		return this.arrivals.size();
	}

	int backlog() {
		return this.backlog.size();
	}

	@Override
	public void close() {
		this.observer.shutdownNow();
	}

	private boolean begin() {
		int count = this.atWork.get();
		while (count < this.most) {
			int witness = this.atWork.compareAndExchange(count, count + 1);
			if (witness == count) {
				return true;
			}
			count = witness;
		}
		return false;
	}

	private void leave() {
		this.turns.lazySet(this.turns.get() + 1);
		this.atWork.decrementAndGet();
		startNext();
	}

	private void startNext() {
		while (!this.backlog.isEmpty() && begin()) {
			Waiting next = this.backlog.poll();
			if (next != null) {
				start(next);
			}
			else {
				this.atWork.decrementAndGet();
			}
		}
	}

	private void start(Waiting next) {
		start(() -> {
			Thread thread = Thread.currentThread();
			this.arrivals.put(thread, next.arrived());
			try {
				next.task().run();
			}
			finally {
				this.arrivals.remove(thread);
			}
		});
	}

	private void start(Runnable task) {
		this.threads.newThread(() -> {
			try {
				task.run();
			}
			finally {
				if (!this.retired.remove(Thread.currentThread())) {
					leave();
				}
			}
		}).start();
	}

	private void observe() {
		if (!this.backlog.isEmpty() && this.observed.compareAndSet(false, true)) {
			observe(this.turns.get());
		}
	}

	private void observe(long before) {
		var _ = this.observer.schedule(() -> {
			if (this.backlog.isEmpty()) {
				this.observed.set(false);
				// Whoever came just now took it for observed.
				observe();
				return;
			}
			if (this.turns.get() == before) {
				startStalled();
			}
			observe(this.turns.get());
		}, this.stalled.toNanos(), TimeUnit.NANOSECONDS);
	}

	private void startStalled() {
		for (int i = 0; i < this.most; i++) {
			Waiting next = this.backlog.poll();
			if (next == null) {
				return;
			}
			this.atWork.incrementAndGet();
			start(next);
		}
	}

}
