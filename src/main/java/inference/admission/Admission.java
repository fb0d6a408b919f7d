package inference.admission;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;

import org.jspecify.annotations.Nullable;

import org.springframework.stereotype.Component;

import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Tensor;

/**
 * The only way to the model for a request. At most so many calls run, first come, first
 * served; at most so many wait, none beyond its deadline; and one that could not be
 * answered before its deadline does not wait at all. A slot is free again when its call
 * has returned, whatever became of the client.
 */
@Component
public final class Admission {

	// Of the heap, for the bodies of all requests; tensors take about as much again, and
	// the text that some are made from more.
	private static final long MOST_MEMORY = Runtime.getRuntime().maxMemory() / 4;

	// Of a run, in nanoseconds: less than it takes to wake a thread under load.
	private static final long SMALL = 100_000;

	// A predicted wait may take an eighth longer. A queue that is too long by a little
	// stays so, and each call is begun just before its deadline, to be ended by it.
	private static final int MARGIN = 8;

	private final ModelLifecycle lifecycle;

	private final AtomicLong memory = new AtomicLong();

	private final Slots slots;

	private final ServiceTime serviceTime;

	private final Runs runs;

	private final Batching batching;

	private final int maxConcurrent;

	private final int maxQueued;

	private final Duration deadline;

	Admission(ModelLifecycle lifecycle, ModelProperties model, AdmissionProperties properties, Batching batching,
			Statistics statistics, RequestThreads threads) {
		this.lifecycle = lifecycle;
		this.maxConcurrent = properties.admission().maxConcurrent(model.threads());
		this.slots = new Slots(this.maxConcurrent, threads);
		this.serviceTime = new ServiceTime(this.maxConcurrent);
		this.runs = new Runs(lifecycle, statistics, this.serviceTime);
		this.batching = batching;
		this.maxQueued = properties.admission().maxQueued();
		this.deadline = properties.deadline();
		statistics.observe(this);
		statistics.limits(this.maxConcurrent, this.maxQueued, this.deadline);
	}

	/**
	 * Refuses, before a request's body is read, what would be refused afterwards.
	 * @param arrived when the request did, in {@link System#nanoTime()}
	 * @param wanted the longest the client waits, or {@code null} if it did not say
	 * @return leave to read it and to wait, to be closed when the answer is sent
	 * @throws Refusal if the model does not serve, the deadline has passed, the queue is
	 * full, or is so long that the answer would come after the deadline
	 */
	public Ticket enter(long arrived, @Nullable Duration wanted) {
		requireServing();
		Deadline granted = Deadline.in(this.deadline, arrived);
		Deadline agreed = (wanted != null) ? granted.within(wanted) : granted;
		if (agreed.remaining(System.nanoTime()) <= 0) {
			throw agreed.exceeded("stood in line");
		}
		if (this.slots.free() == 0) {
			requireQueue(this.slots.queued(), agreed);
		}
		return new Ticket(agreed, this.memory, MOST_MEMORY);
	}

	/**
	 * Runs the model when a slot is free, together with what waits beside it.
	 * @param inputs checked against the signature
	 * @param deadline when the answer comes too late
	 * @param client who waits for it
	 * @return the model's outputs
	 * @throws Refusal if the model does not serve, the queue is full or too long, the
	 * deadline passes, or the client hangs up
	 * @throws IllegalArgumentException if the model cannot use the input
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs, Deadline deadline, Client client) {
		Pending call = new Pending(inputs, deadline, client, System.nanoTime());
		if (this.slots.enter(call, (ahead) -> requireQueue(ahead, deadline)) || awaitTurn(call)) {
			runWithOthers(call);
		}
		return call.outcome();
	}

	/**
	 * Takes the way of a call to a model that is not served yet, for its warm-up.
	 * @param inputs as a request has them
	 * @param model runs the model
	 * @return the model's outputs
	 */
	public Map<String, Tensor> rehearse(Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model) {
		Deadline granted = Deadline.in(this.deadline, System.nanoTime());
		try (Ticket ticket = new Ticket(granted, this.memory, MOST_MEMORY)) {
			Pending call = new Pending(inputs, ticket.deadline(), Client.PATIENT, System.nanoTime());
			if (this.slots.enter(call, (ahead) -> requireQueue(ahead, granted)) || awaitTurn(call)) {
				try {
					call.complete(model.apply(inputs));
				}
				finally {
					this.serviceTime.record(System.nanoTime() - call.called(), 1);
					this.slots.release();
				}
			}
			return call.outcome();
		}
	}

	/**
	 * What the model that is served says of itself.
	 * @return the metadata
	 * @throws Refusal.NotReady while the model is loading
	 */
	public ModelMetadata metadata() {
		ModelMetadata metadata = this.lifecycle.metadata();
		if (metadata == null) {
			throw new Refusal.NotReady(this.lifecycle.snapshot().reason());
		}
		return metadata;
	}

	/**
	 * Whether the process is about to end, so that connections are not to be kept.
	 * @return {@code true} from SIGTERM on
	 */
	public boolean isDraining() {
		return this.lifecycle.snapshot().state() == State.DRAINING;
	}

	int queued() {
		return this.slots.queued();
	}

	int running() {
		return this.slots.running();
	}

	/** Whether the model takes less time than it takes to wake a thread under load. */
	boolean isQuick() {
		return this.runs.quick() < SMALL;
	}

	/** How long a call that arrives now would wait, in nanoseconds. */
	long predictedWait() {
		return (this.slots.free() > 0) ? 0 : predictedWait(this.slots.queued());
	}

	private long predictedWait(int ahead) {
		return this.serviceTime.average() * (ahead + 1) / this.maxConcurrent;
	}

	// Less what the wait has too much: of the calls inside, half is over on average.
	private long predictedRun() {
		return this.serviceTime.run() - this.serviceTime.average() / (2L * this.maxConcurrent);
	}

	private void requireServing() {
		Snapshot now = this.lifecycle.snapshot();
		if (!now.state().serves()) {
			throw new Refusal.NotReady(now.reason());
		}
	}

	private void requireQueue(int ahead, Deadline deadline) {
		long wait = predictedWait(ahead);
		if (ahead >= this.maxQueued || wait + wait / MARGIN + predictedRun() > deadline.remaining(System.nanoTime())) {
			throw new Refusal.Overloaded("The server is busy: calls wait already, %d of at most %d, for about %d ms"
				.formatted(ahead, this.maxQueued, TimeUnit.NANOSECONDS.toMillis(wait)),
					Duration.ofNanos(Math.max(wait, 1)));
		}
	}

	private boolean awaitTurn(Pending call) {
		if (!this.slots.await(call)) {
			return false;
		}
		try {
			call.requireWorth(this.runs.least());
			return true;
		}
		catch (RuntimeException | Error ex) {
			this.slots.release();
			throw ex;
		}
	}

	private void runWithOthers(Pending own) {
		try {
			long patience = this.batching.maxDelay();
			List<Pending> calls = this.slots.claim(own, this.batching.maxSize(), patience);
			// What it takes to gather is not counted: under load a batch is full at once.
			this.runs.run(calls, own, (patience > 0) ? System.nanoTime() : own.called());
			runForOthers(own);
		}
		catch (InterruptedException ex) {
			throw Refusal.interrupted();
		}
		finally {
			this.slots.release();
		}
	}

	// Until a thread that waits is awake, a small model has run many times; and those who
	// come meanwhile would have to wait in turn, forever.
	private void runForOthers(Pending own) {
		if (this.slots.queued() == 0) {
			return;
		}
		long now = System.nanoTime();
		Courtesy courtesy = Courtesy.of(own.deadline(), now);
		int most = this.batching.maxSize();
		while (isQuick() && !courtesy.isOver(now + this.runs.quick() * most)) {
			List<Pending> others = this.slots.next(most);
			if (others.isEmpty()) {
				return;
			}
			this.runs.run(others, own, now);
			now = System.nanoTime();
		}
	}

}
