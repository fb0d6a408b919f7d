package inference.admission;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;

import org.springframework.stereotype.Component;

import inference.admission.Rejection.Kind;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Protocol;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.lifecycle.WarmUpListener;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * The only way to the model for a request. The number of running calls and the number of
 * queued calls are limited. No call waits longer than its deadline. A call that is
 * predicted to miss its deadline is rejected at once.
 */
@Component
public final class Admission implements WarmUpListener, AutoCloseable {

	// An eighth of the predicted wait is added as a margin. Without the margin, the queue
	// can become slightly too long and stay too long. Then every call starts just before
	// its deadline and is cancelled at its deadline.
	private static final int WAIT_MARGIN_DIVISOR = 8;

	private final ModelLifecycle lifecycle;

	private final MemoryBudget memoryBudget = new MemoryBudget();

	private final CallQueue queue;

	private final ServiceTime serviceTime;

	private final ExecutorService modelThreads;

	// The timer is never shut down, because a call may still come while the server stops.
	// Its thread is a daemon.
	private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1,
			Thread.ofPlatform().daemon().name("call-timer").factory());

	private final Statistics statistics;

	private final int maxConcurrent;

	private final int maxQueued;

	private final Duration maxDeadline;

	Admission(ModelLifecycle lifecycle, ModelProperties modelProperties, AdmissionProperties admissionProperties,
			DeadlineProperties deadlineProperties, Batching batching, Statistics statistics) {
		this.lifecycle = lifecycle;
		// Otherwise the timer would wake for the timeouts of calls that have ended.
		this.timer.setRemoveOnCancelPolicy(true);
		this.maxConcurrent = admissionProperties.maxConcurrentOrDefault(modelProperties.threads());
		this.maxQueued = admissionProperties.maxQueued();
		this.maxDeadline = deadlineProperties.deadline();
		this.queue = new CallQueue(this.maxConcurrent, batching);
		this.statistics = statistics;
		this.serviceTime = new ServiceTime(this.maxConcurrent);
		this.modelThreads = Executors.newFixedThreadPool(this.maxConcurrent,
				Thread.ofPlatform().daemon().name("model-", 0).factory());
		for (int i = 0; i < this.maxConcurrent; i++) {
			this.modelThreads.execute(new ModelThread(this.queue, lifecycle, statistics, this.serviceTime));
		}
		registerGauges();
	}

	private void registerGauges() {
		this.statistics.registerGauge("inference.running", null, "Runs of the model at this moment",
				this.queue::busyThreads);
		this.statistics.registerGauge("inference.queued", null, "Calls waiting for a model thread", this.queue::size);
		this.statistics.registerGauge("inference.predicted.wait", "seconds",
				"How long a call that arrives now would wait", () -> predictedWaitNanos() / 1e9);
		this.statistics.registerGauge("inference.memory.reserved", "bytes",
				"Memory that requests have reserved for bodies, tensors and answers", this.memoryBudget::reservedBytes);
		// The limits are gauges, too, so that alerts can compare the load with them.
		this.statistics.registerGauge("inference.max.concurrent", null, "The most runs of the model at once",
				() -> this.maxConcurrent);
		this.statistics.registerGauge("inference.max.queued", null, "The most calls waiting for a model thread",
				() -> this.maxQueued);
		this.statistics.registerGauge("inference.deadline", "seconds",
				"The longest time from a request's admission to its answer", () -> this.maxDeadline.toNanos() / 1e9);
		this.statistics.registerGauge("inference.memory.max", "bytes", "The most memory that requests can reserve",
				this.memoryBudget::maxBytes);
	}

	/**
	 * Admits a request before its body is read.
	 * @param timeout the timeout that the client asks for; {@code null} if the client
	 * asks for none
	 * @return the reservation, which the caller closes when the answer is sent
	 * @throws Rejection if the model does not serve, the queue or the memory is full, or
	 * the request is predicted to miss its deadline
	 */
	public Reservation admit(@Nullable Duration timeout) {
		Snapshot snapshot = this.lifecycle.snapshot();
		if (!snapshot.state().serves()) {
			throw Rejection.notReady(snapshot.reason());
		}
		Deadline deadline = Deadline.in(this.maxDeadline).shortenedTo(timeout);
		rejectIfOverloaded(deadline);
		return new Reservation(this.memoryBudget, deadline);
	}

	/**
	 * Runs the model for a request, as soon as a model thread is free.
	 * @param inputs the inputs, which the caller has checked against the signature
	 * @param reservation the request's reservation, to which the outputs' memory is added
	 * @param timeout the timeout in the request's body, counted from the admission;
	 * {@code null} if the body has none
	 * @param isClientGone whether the client no longer waits for the answer. A model
	 * thread calls this function before it runs the model, and the calling thread calls
	 * it after a wait of more than 20 ms. The function must not block or throw
	 * @param longWaitExecutor runs the rest of the wait after the first 20 ms, on the
	 * calling thread. The executor for HTTP gives back the request's permit for that time
	 * @throws Rejection for each reason of {@link Rejection.Kind}
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs, Reservation reservation, @Nullable Duration timeout,
			BooleanSupplier isClientGone, Executor longWaitExecutor) {
		Deadline deadline = reservation.deadline().shortenedTo(timeout);
		long expectedBytes = reservation.addExpectedCallMemory(metadata().signature(), inputs);
		Call call = new Call(inputs, deadline, isClientGone);
		this.queue.add(call, () -> rejectIfOverloaded(deadline));
		try {
			Map<String, Tensor> outputs = call.await(this.timer, longWaitExecutor);
			reservation.add(Tensor.totalBytes(outputs.values()) - expectedBytes);
			return outputs;
		}
		catch (Rejection ex) {
			this.queue.remove(call);
			throw ex;
		}
	}

	/**
	 * Runs the model for a controller that a fork of this project has added. The
	 * configured deadline applies, and the request is counted in the metrics.
	 * @param inputs a tensor for each input of the signature
	 * @return the model's outputs
	 * @throws Rejection if the request is rejected. The controller need not catch the
	 * exception, because the server turns it into an error answer
	 */
	public Map<String, Tensor> predict(Map<String, Tensor> inputs) {
		long arrivalNanos = System.nanoTime();
		Outcome outcome = Outcome.FAILED;
		try (Reservation reservation = admit(null)) {
			Signature signature = metadata().signature();
			if (!signature.acceptsInputs(inputs)) {
				throw new Rejection(Kind.INVALID_INPUT,
						"The model takes %s, not %s.".formatted(signature.inputs(), inputs));
			}
			Map<String, Tensor> outputs = infer(inputs, reservation, null, () -> false, Runnable::run);
			outcome = Outcome.OK;
			return outputs;
		}
		catch (Rejection ex) {
			outcome = Outcome.of(ex);
			throw ex;
		}
		finally {
			this.statistics.record(Protocol.HTTP, outcome, System.nanoTime() - arrivalNanos);
		}
	}

	/**
	 * The metadata of the model that is served.
	 * @throws Rejection while the model is not loaded
	 */
	public ModelMetadata metadata() {
		ModelMetadata metadata = this.lifecycle.metadata();
		if (metadata == null) {
			throw Rejection.notReady(this.lifecycle.snapshot().reason());
		}
		return metadata;
	}

	/** The longest time from a request's admission to its answer. */
	public Duration maxDeadline() {
		return this.maxDeadline;
	}

	/**
	 * Whether the server is draining. While it drains, each HTTP connection is closed
	 * after its answer.
	 */
	public boolean isDraining() {
		return this.lifecycle.snapshot().state() == State.DRAINING;
	}

	/**
	 * Records a warm-up run's time, so that the first requests' wait can be predicted.
	 */
	@Override
	public void afterTimedRun(long runNanos) {
		this.serviceTime.record(runNanos, 1);
	}

	/** Interrupts each model thread, even while it is inside the model. */
	@Override
	public void close() {
		this.queue.close();
		this.modelThreads.shutdownNow();
	}

	long predictedWaitNanos() {
		return this.queue.hasIdleThread() ? 0
				: this.serviceTime.averageNanosPerCall() * (this.queue.size() + 1) / this.maxConcurrent;
	}

	private void rejectIfOverloaded(Deadline deadline) {
		if (this.queue.hasIdleThread()) {
			return;
		}
		int callsAhead = this.queue.size();
		long waitNanos = predictedWaitNanos();
		// predictedWaitNanos() assumes that the running calls have just started. On
		// average they are half done, so the wait for half a call is subtracted.
		long overestimateNanos = this.serviceTime.averageNanosPerCall() / (2L * this.maxConcurrent);
		long marginNanos = waitNanos / WAIT_MARGIN_DIVISOR;
		long nanosToAnswer = waitNanos + marginNanos - overestimateNanos + this.serviceTime.averageNanosPerRun();
		if (callsAhead >= this.maxQueued || nanosToAnswer > deadline.remainingNanos()) {
			throw Rejection.overloaded(
					"The server is busy: %d of at most %d calls are queued; the expected wait is about %d ms"
						.formatted(callsAhead, this.maxQueued, TimeUnit.NANOSECONDS.toMillis(waitNanos)),
					Duration.ofNanos(Math.max(waitNanos, 1)));
		}
	}

}
