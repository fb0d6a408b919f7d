package inference.admission;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import inference.admission.Statistics.Stage;
import inference.lifecycle.ModelLifecycle;
import inference.model.Tensor;

/**
 * The platform threads that run the model, {@code model-0} and so on. No other thread
 * runs the model for a request, so a model that blocks in native code never occupies a
 * thread that serves requests or probes.
 */
final class ModelThreads implements AutoCloseable {

	private final CallQueue queue;

	private final ModelLifecycle lifecycle;

	private final Statistics statistics;

	private final ServiceTime serviceTime;

	private final ExecutorService executor;

	ModelThreads(int threadCount, CallQueue queue, ModelLifecycle lifecycle, Statistics statistics,
			ServiceTime serviceTime) {
		this.queue = queue;
		this.lifecycle = lifecycle;
		this.statistics = statistics;
		this.serviceTime = serviceTime;
		this.executor = Executors.newFixedThreadPool(threadCount,
				Thread.ofPlatform().daemon().name("model-", 0).factory());
		for (int i = 0; i < threadCount; i++) {
			this.executor.execute(this::runBatches);
		}
	}

	/** Interrupts each model thread, even while it is inside the model. */
	@Override
	public void close() {
		this.executor.shutdownNow();
	}

	private void runBatches() {
		try {
			while (!this.executor.isShutdown()) {
				List<Call> calls = this.queue.takeBatch();
				calls.forEach((call) -> this.statistics.record(Stage.QUEUE, call.waitedNanos()));
				Runnable completion = run(calls);
				// The client may send its next call as soon as it has its answer. This
				// thread is marked idle before that, so that the next call finds it idle.
				this.queue.markIdle();
				completion.run();
			}
		}
		catch (InterruptedException ex) {
			// close() has interrupted this thread.
			Thread.currentThread().interrupt();
		}
	}

	// Runs the calls. The returned task gives each call its outputs or its failure.
	private Runnable run(List<Call> calls) {
		ModelRun run = new ModelRun(calls);
		List<Call> begunCalls = calls.stream()
			.filter((call) -> call.tryBegin(run::cancelUnlessAwaited, this.serviceTime.shortestRunNanos()))
			.toList();
		if (begunCalls.isEmpty()) {
			return () -> {
			};
		}
		try {
			if (begunCalls.size() == 1) {
				MDC.setContextMap(begunCalls.getFirst().logContext());
			}
			Map<String, Tensor> inputs = Batch.join(begunCalls.stream().map(Call::inputs).toList());
			List<Map<String, Tensor>> outputs = Batch.split(run.infer(inputs, begunCalls.size()),
					begunCalls.stream().map(Call::rowCount).toList());
			return () -> {
				for (int i = 0; i < begunCalls.size(); i++) {
					begunCalls.get(i).complete(outputs.get(i));
				}
			};
		}
		catch (Throwable ex) {
			// A model in another JVM language may throw checked exceptions, too.
			if (begunCalls.size() == 1) {
				return () -> begunCalls.getFirst().completeExceptionally(ex);
			}
			// One call's bad inputs must not fail other calls, so each half of the batch
			// runs again. One bad call among 64 costs 13 runs in place of 65. The first
			// half is answered before the second half runs.
			int half = begunCalls.size() / 2;
			run(begunCalls.subList(0, half)).run();
			return run(begunCalls.subList(half, begunCalls.size()));
		}
		finally {
			MDC.clear();
		}
	}

	/**
	 * One run of the model, for one call or for a batch of calls. When no request waits
	 * for these calls any more, the model is asked to end the run.
	 */
	private final class ModelRun {

		private final long startNanos = System.nanoTime();

		private final List<Call> calls;

		private @Nullable Thread threadInModel;

		ModelRun(List<Call> calls) {
			this.calls = calls;
		}

		Map<String, Tensor> infer(Map<String, Tensor> inputs, int callCount) {
			long inferStartNanos = System.nanoTime();
			boolean hasSucceeded = false;
			setThreadInModel(Thread.currentThread());
			try {
				Map<String, Tensor> outputs = ModelThreads.this.lifecycle.infer(inputs, Rejection::notReady);
				hasSucceeded = true;
				ModelThreads.this.statistics.recordRun(Batch.rowCount(inputs), System.nanoTime() - inferStartNanos);
				return outputs;
			}
			finally {
				setThreadInModel(null);
				// A late cancellation may interrupt this thread. Its next run must not
				// see the interrupt.
				Thread.interrupted();
				// The calls of a cancelled run are not counted, because it would have
				// taken longer. The calls of a failed batch are counted when they run
				// again.
				int completedCalls = (hasSucceeded || (isAwaited() && callCount == 1)) ? callCount : 0;
				ModelThreads.this.serviceTime.record(System.nanoTime() - this.startNanos, completedCalls);
			}
		}

		private synchronized void setThreadInModel(@Nullable Thread thread) {
			this.threadInModel = thread;
		}

		synchronized void cancelUnlessAwaited() {
			if (this.threadInModel != null && !isAwaited()) {
				ModelThreads.this.lifecycle.cancel(this.threadInModel);
			}
		}

		private boolean isAwaited() {
			return this.calls.stream().anyMatch((call) -> !call.isDone());
		}

	}

}
