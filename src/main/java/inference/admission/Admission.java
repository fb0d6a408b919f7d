package inference.admission;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.stereotype.Component;

import inference.admission.Statistics.Stage;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.NotServingException;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * The only way to the model for a request. At most so many calls run, first come, first
 * served; at most so many wait, none beyond its deadline; and one whose turn would come
 * after its deadline does not wait at all. A slot is free again when its call has
 * returned, whatever became of the client.
 */
@Component
public final class Admission {

	// How much of the average run time one more run makes up.
	private static final int SHARE = 8;

	// Of the heap, for the bodies of all requests; tensors take about as much again, and
	// the text that some are made from more.
	private static final long MOST_MEMORY = Runtime.getRuntime().maxMemory() / 4;

	private final ModelLifecycle lifecycle;

	private final AtomicLong memory = new AtomicLong();

	private final Semaphore slots;

	private final int maxConcurrent;

	private final int maxQueued;

	private final Duration deadline;

	private final Statistics statistics;

	private final LongSupplier nanoTime;

	private final AtomicInteger queued = new AtomicInteger();

	private final AtomicLong averageRun = new AtomicLong();

	@Autowired
	Admission(ModelLifecycle lifecycle, ModelProperties model, AdmissionProperties properties, Statistics statistics) {
		this(lifecycle, model, properties, statistics, System::nanoTime);
	}

	Admission(ModelLifecycle lifecycle, ModelProperties model, AdmissionProperties properties, Statistics statistics,
			LongSupplier nanoTime) {
		this.lifecycle = lifecycle;
		this.maxConcurrent = properties.admission().maxConcurrent(model.threads());
		this.slots = new Semaphore(this.maxConcurrent, true);
		this.maxQueued = properties.admission().maxQueued();
		this.deadline = properties.deadline();
		this.statistics = statistics;
		this.nanoTime = nanoTime;
		statistics.observe(this);
	}

	/**
	 * Refuses, before a request's body is read, what would be refused afterwards.
	 * @param wanted the longest the client waits, or {@code null} if it did not say
	 * @return leave to read it and to wait, to be closed when the answer is sent
	 * @throws Refusal if the model does not serve, the queue is full, or is so long that
	 * the request's turn would come after its deadline
	 */
	public Ticket enter(@Nullable Duration wanted) {
		requireServing();
		Deadline granted = Deadline.in(this.deadline, this.nanoTime.getAsLong());
		Deadline agreed = (wanted != null) ? granted.within(wanted) : granted;
		if (this.slots.availablePermits() == 0) {
			requireQueue(this.queued.get(), agreed);
		}
		return new Ticket(agreed, this.memory, MOST_MEMORY);
	}

	/**
	 * Runs the model when a slot is free.
	 * @param inputs checked against the signature
	 * @param deadline when the answer comes too late
	 * @param gone whether the client has hung up; asked after a wait
	 * @param late run at the deadline, on another thread, if the model runs by then: it
	 * may not return for long
	 * @return the model's outputs
	 * @throws Refusal if the model does not serve, the queue is full or too long, the
	 * deadline passes, or the client hangs up
	 * @throws IllegalArgumentException if the model cannot use the input
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs, Deadline deadline, BooleanSupplier gone,
			Runnable late) {
		long arrived = this.nanoTime.getAsLong();
		takeSlot(deadline, gone);
		try {
			long started = this.nanoTime.getAsLong();
			this.statistics.record(Stage.QUEUE, started - arrived);
			Map<String, Tensor> outputs = this.lifecycle.infer(inputs, deadline.at(), late);
			long took = this.nanoTime.getAsLong() - started;
			this.averageRun.accumulateAndGet(took,
					(average, run) -> (average == 0) ? run : average + (run - average) / SHARE);
			this.statistics.recordRun(rows(inputs), took);
			return outputs;
		}
		catch (NotServingException ex) {
			throw new Refusal.NotReady(ex.snapshot().reason());
		}
		catch (RuntimeException | AssertionError ex) {
			// Told to end its call early, a model ends it with an exception of its own.
			if (deadline.remaining(this.nanoTime.getAsLong()) <= 0) {
				throw late(deadline);
			}
			throw ex;
		}
		finally {
			this.slots.release();
		}
	}

	/**
	 * The refusal that a request gets whose deadline passes inside the model.
	 * @param deadline the request's
	 * @return what to answer
	 */
	public Refusal late(Deadline deadline) {
		return deadline.exceeded("was inside the model");
	}

	/**
	 * The signature of the model that is served.
	 * @return the signature
	 * @throws Refusal.NotReady while the model is loading
	 */
	public Signature signature() {
		return loaded(this.lifecycle.signature());
	}

	/**
	 * The format of the model that is served.
	 * @return the platform
	 * @throws Refusal.NotReady while the model is loading
	 */
	public String platform() {
		return loaded(this.lifecycle.platform());
	}

	/**
	 * Whether the process is about to end, so that connections are not to be kept.
	 * @return {@code true} from SIGTERM on
	 */
	public boolean isDraining() {
		return this.lifecycle.snapshot().state() == State.DRAINING;
	}

	int queued() {
		return this.queued.get();
	}

	int running() {
		return this.maxConcurrent - this.slots.availablePermits();
	}

	/** How long a call that arrives now would wait, in nanoseconds. */
	long predictedWait() {
		return (this.slots.availablePermits() > 0) ? 0 : predictedWait(this.queued.get());
	}

	private long predictedWait(int ahead) {
		return this.averageRun.get() * (ahead + 1) / this.maxConcurrent;
	}

	private <T> T loaded(@Nullable T fact) {
		if (fact == null) {
			throw new Refusal.NotReady(this.lifecycle.snapshot().reason());
		}
		return fact;
	}

	private void requireServing() {
		Snapshot now = this.lifecycle.snapshot();
		if (!now.state().serves()) {
			throw new Refusal.NotReady(now.reason());
		}
	}

	private void requireQueue(int ahead, Deadline deadline) {
		long wait = predictedWait(ahead);
		if (ahead >= this.maxQueued || wait > deadline.remaining(this.nanoTime.getAsLong())) {
			throw new Refusal.Overloaded("The server is busy: calls wait already, %d of at most %d, for about %d ms"
				.formatted(ahead, this.maxQueued, TimeUnit.NANOSECONDS.toMillis(wait)),
					Duration.ofNanos(Math.max(wait, 1)));
		}
	}

	private void takeSlot(Deadline deadline, BooleanSupplier gone) {
		try {
			// Unlike tryAcquire(), which overtakes those who wait.
			if (!this.slots.tryAcquire(0, TimeUnit.NANOSECONDS)) {
				queueForSlot(deadline, gone);
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new Refusal.NotReady("the server is stopping");
		}
	}

	private void queueForSlot(Deadline deadline, BooleanSupplier gone) throws InterruptedException {
		int ahead = this.queued.getAndIncrement();
		try {
			requireQueue(ahead, deadline);
			long remaining = deadline.remaining(this.nanoTime.getAsLong());
			if (!this.slots.tryAcquire(remaining, TimeUnit.NANOSECONDS)) {
				throw deadline.exceeded("waited for the model");
			}
		}
		finally {
			this.queued.decrementAndGet();
		}
		if (gone.getAsBoolean()) {
			this.slots.release();
			throw new Refusal.ClientGone();
		}
	}

	private static long rows(Map<String, Tensor> inputs) {
		Shape shape = inputs.values().iterator().next().shape();
		return (shape.rank() > 0) ? shape.dimension(0) : 1;
	}

}
