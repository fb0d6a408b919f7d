package inference.admission;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.slf4j.MDC;

import inference.admission.Statistics.Stage;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.NotServingException;
import inference.model.Tensor;

/**
 * The platform threads that run the model, {@code model-0} and so on. They are the only
 * threads that enter it for requests, so a model that blocks in native code never takes a
 * thread that serves requests or probes.
 */
final class ModelThreads implements AutoCloseable {

	private final List<Thread> threads = new ArrayList<>();

	private final CallQueue queue;

	private final Batching batching;

	private final ModelLifecycle lifecycle;

	private final Statistics statistics;

	private final ServiceTime serviceTime;

	private volatile boolean closed;

	ModelThreads(CallQueue queue, Batching batching, ModelLifecycle lifecycle, Statistics statistics,
			ServiceTime serviceTime) {
		this.queue = queue;
		this.batching = batching;
		this.lifecycle = lifecycle;
		this.statistics = statistics;
		this.serviceTime = serviceTime;
	}

	void start(int count) {
		for (int i = 0; i < count; i++) {
			this.threads.add(Thread.ofPlatform().daemon().name("model-" + i).start(this::takeAndRun));
		}
	}

	/**
	 * Ends the threads that wait for a call, and each other one when its call returns.
	 */
	@Override
	public void close() {
		this.closed = true;
		this.threads.forEach(Thread::interrupt);
	}

	private void takeAndRun() {
		try {
			while (!this.closed) {
				List<Call> calls = this.queue.take(this.batching.maxSize(), this.batching.maxDelay());
				List<Runnable> outcomes = run(calls);
				// First, so that a client's next call finds the thread idle.
				this.queue.release();
				outcomes.forEach(Runnable::run);
			}
		}
		catch (InterruptedException ex) {
			// The server is closed.
			Thread.currentThread().interrupt();
		}
	}

	// Returns what gives each call its outcome.
	private List<Runnable> run(List<Call> calls) {
		long taken = System.nanoTime();
		ModelRun run = new ModelRun(this.lifecycle::cancel);
		List<Call> begun = calls.stream().filter((call) -> call.begin(run, this.serviceTime.quickestRun())).toList();
		begun.forEach((call) -> this.statistics.record(Stage.QUEUE, taken - call.arrived()));
		return switch (begun.size()) {
			case 0 -> List.of();
			case 1 -> List.of(runAlone(begun.getFirst(), run, taken));
			default -> runTogether(begun, run, taken);
		};
	}

	private Runnable runAlone(Call call, ModelRun run, long taken) {
		Map<String, String> context = call.logContext();
		try {
			if (context != null) {
				MDC.setContextMap(context);
			}
			Map<String, Tensor> outputs = infer(call.inputs(), List.of(call), run, taken);
			return () -> call.complete(outputs);
		}
		catch (NotServingException ex) {
			return () -> call.fail(new Rejection.NotReady(ex.snapshot().reason()));
		}
		catch (RuntimeException | Error ex) {
			return () -> call.fail(ex);
		}
		finally {
			MDC.clear();
		}
	}

	private List<Runnable> runTogether(List<Call> calls, ModelRun run, long taken) {
		List<Runnable> outcomes = new ArrayList<>();
		try {
			Map<String, Tensor> joined = Batch.join(calls.stream().map(Call::inputs).toList());
			List<Map<String, Tensor>> outputs = Batch.split(infer(joined, calls, run, taken),
					calls.stream().map((call) -> Batch.rows(call.inputs())).toList());
			for (int i = 0; i < calls.size(); i++) {
				Call call = calls.get(i);
				Map<String, Tensor> own = outputs.get(i);
				outcomes.add(() -> call.complete(own));
			}
		}
		catch (RuntimeException | Error ex) {
			// Inputs of one call that the model cannot use must not fail the others.
			for (Call call : calls) {
				ModelRun alone = new ModelRun(this.lifecycle::cancel);
				if (call.begin(alone, 0)) {
					outcomes.add(runAlone(call, alone, System.nanoTime()));
				}
			}
		}
		return outcomes;
	}

	private Map<String, Tensor> infer(Map<String, Tensor> inputs, List<Call> calls, ModelRun run, long taken) {
		long started = System.nanoTime();
		Map<String, Tensor> outputs = null;
		run.begin(calls.size());
		try {
			outputs = this.lifecycle.infer(inputs);
			return outputs;
		}
		finally {
			run.end();
			long ended = System.nanoTime();
			boolean cancelled = outputs == null && calls.stream().noneMatch(Call::isAwaited);
			this.serviceTime.record(ended - taken, cancelled ? 0 : calls.size());
			if (outputs != null) {
				this.statistics.recordRun(Batch.rows(inputs), ended - started);
			}
		}
	}

}
