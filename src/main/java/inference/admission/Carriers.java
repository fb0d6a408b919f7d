package inference.admission;

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

import jdk.management.VirtualThreadSchedulerMXBean;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.condition.ConditionalOnThreading;
import org.springframework.boot.thread.Threading;
import org.springframework.stereotype.Component;

import inference.admission.Statistics.Stage;

/**
 * How many carriers the virtual threads of requests have. Calls of the model may need all
 * that {@link CarrierThreads} provides for. While they take microseconds, each carrier
 * beyond the CPUs and one is mostly woken to find nothing left to do, which costs one
 * request in fifteen; so these are not used until a call takes longer.
 */
@Component
@ConditionalOnThreading(Threading.VIRTUAL)
final class Carriers implements InitializingBean, DisposableBean {

	// Between looks while not all are used: as long as the others may have to wait for a
	// carrier when calls have taken them all.
	private static final Duration GUARD = Duration.ofMillis(10);

	// Between looks else, each of which wakes a thread
	private static final Duration REST = Duration.ofSeconds(1);

	// Without a call, after which nobody needs to look so often
	private static final Duration IDLE = Duration.ofSeconds(10);

	// Calls from one look to the next. The fewer, the less there is to gain.
	private static final int MANY = 1000;

	private final Admission admission;

	private final Statistics statistics;

	private final int few = Runtime.getRuntime().availableProcessors() + 1;

	private final int all;

	private final IntConsumer scheduler;

	private final Thread thread = Thread.ofPlatform().name("carriers").daemon().unstarted(this::watch);

	private volatile boolean closed;

	private boolean reduced;

	private long calls;

	private int idle;

	@Autowired
	Carriers(Admission admission, Statistics statistics, AdmissionProperties properties) {
		this(admission, statistics, CarrierThreads.count(properties.admission()), Carriers::use);
	}

	/**
	 * Carriers of a scheduler of its own.
	 * @param all how many there are
	 * @param scheduler told how many to use
	 */
	Carriers(Admission admission, Statistics statistics, int all, IntConsumer scheduler) {
		this.admission = admission;
		this.statistics = statistics;
		this.all = all;
		this.scheduler = scheduler;
	}

	@Override
	public void afterPropertiesSet() {
		// Another number is somebody's choice.
		if (this.all > this.few && String.valueOf(this.all).equals(System.getProperty(CarrierThreads.PARALLELISM))) {
			this.thread.start();
		}
	}

	@Override
	public void destroy() {
		this.closed = true;
		LockSupport.unpark(this.thread);
	}

	/** One look. */
	void look() {
		long before = this.calls;
		this.calls = this.statistics.stage(Stage.RUN).count();
		if (!this.reduced) {
			if (this.calls - before >= MANY && this.admission.isQuick()) {
				reduce(true);
			}
			return;
		}
		boolean returned = this.calls != before;
		this.idle = returned ? 0 : this.idle + 1;
		boolean blocked = !returned && this.admission.running() > 0;
		if (blocked || !this.admission.isQuick() || this.idle >= IDLE.dividedBy(GUARD)) {
			reduce(false);
		}
	}

	private void reduce(boolean reduced) {
		this.reduced = reduced;
		this.idle = 0;
		this.scheduler.accept(reduced ? this.few : this.all);
	}

	private void watch() {
		while (!this.closed) {
			look();
			LockSupport.parkNanos((this.reduced ? GUARD : REST).toNanos());
		}
		if (this.reduced) {
			reduce(false);
		}
	}

	static void use(int carriers) {
		ManagementFactory.getPlatformMXBean(VirtualThreadSchedulerMXBean.class).setParallelism(carriers);
	}

}
