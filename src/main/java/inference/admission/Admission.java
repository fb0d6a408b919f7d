package inference.admission;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;

import org.springframework.stereotype.Component;

import inference.admission.Statistics.Stage;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.NotServingException;
import inference.lifecycle.Snapshot;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * The only way to the model for a request. At most so many calls run, first come, first
 * served; at most so many wait, none beyond its deadline.
 */
@Component
public final class Admission {

	private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

	private final ModelLifecycle lifecycle;

	private final Semaphore slots;

	private final int maxQueued;

	private final Duration deadline;

	private final Statistics statistics;

	private final AtomicInteger queued = new AtomicInteger();

	Admission(ModelLifecycle lifecycle, ModelProperties model, AdmissionProperties admission,
			DeadlineProperties deadline, Statistics statistics) {
		this.lifecycle = lifecycle;
		this.statistics = statistics;
		this.slots = new Semaphore(admission.maxConcurrent(model.threads()), true);
		this.maxQueued = admission.maxQueued();
		this.deadline = deadline.deadline();
	}

	/**
	 * Refuses, before a request's body is read, what would be refused afterwards.
	 * @return the signature to read the request by
	 * @throws Refusal if the model does not serve, or the queue is full
	 */
	public Signature enter() {
		Snapshot now = this.lifecycle.snapshot();
		if (!now.state().serves()) {
			throw new Refusal.NotReady(now.reason());
		}
		if (this.slots.availablePermits() == 0 && this.queued.get() >= this.maxQueued) {
			throw overloaded();
		}
		return signature();
	}

	/**
	 * Runs the model when a slot is free.
	 * @param inputs checked against the signature
	 * @return the model's outputs
	 * @throws Refusal if the model does not serve, the queue is full or the deadline
	 * passes in it
	 * @throws IllegalArgumentException if the model cannot use the input
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		long arrived = System.nanoTime();
		takeSlot();
		try {
			long started = System.nanoTime();
			this.statistics.record(Stage.QUEUE, started - arrived);
			Map<String, Tensor> outputs = this.lifecycle.infer(inputs);
			this.statistics.recordRun(rows(inputs), System.nanoTime() - started);
			return outputs;
		}
		catch (NotServingException ex) {
			throw new Refusal.NotReady(ex.snapshot().reason());
		}
		finally {
			this.slots.release();
		}
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

	private <T> T loaded(@Nullable T fact) {
		if (fact == null) {
			throw new Refusal.NotReady(this.lifecycle.snapshot().reason());
		}
		return fact;
	}

	private void takeSlot() {
		try {
			// Unlike tryAcquire(), which overtakes those who wait.
			if (!this.slots.tryAcquire(0, TimeUnit.NANOSECONDS)) {
				queueForSlot();
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new Refusal.NotReady("the server is stopping");
		}
	}

	private void queueForSlot() throws InterruptedException {
		if (this.queued.incrementAndGet() > this.maxQueued) {
			this.queued.decrementAndGet();
			throw overloaded();
		}
		try {
			if (!this.slots.tryAcquire(this.deadline.toNanos(), TimeUnit.NANOSECONDS)) {
				throw new Refusal.DeadlineExceeded("The deadline of %d ms passed while the request waited for the model"
					.formatted(this.deadline.toMillis()));
			}
		}
		finally {
			this.queued.decrementAndGet();
		}
	}

	private static long rows(Map<String, Tensor> inputs) {
		Shape shape = inputs.values().iterator().next().shape();
		return (shape.rank() > 0) ? shape.dimension(0) : 1;
	}

	private Refusal overloaded() {
		return new Refusal.Overloaded("The server is busy: %d requests wait already".formatted(this.maxQueued),
				RETRY_AFTER);
	}

}
