package inference.admission;

import java.util.List;
import java.util.Map;

import org.slf4j.MDC;

import inference.admission.Statistics.Stage;
import inference.lifecycle.ModelLifecycle;
import inference.model.Tensor;

/**
 * The task of one model thread, which runs the model for the calls in the queue until the
 * queue is closed. No other threads run the model for requests, so a model that blocks in
 * native code never occupies a thread that serves requests or probes.
 */
final class ModelThread implements Runnable {

	private final CallQueue queue;

	private final ModelLifecycle lifecycle;

	private final Statistics statistics;

	private final ServiceTime serviceTime;

	/** The calls that the model runs now; empty while the thread is outside the model. */
	private List<Call> callsInModel = List.of();

	ModelThread(CallQueue queue, ModelLifecycle lifecycle, Statistics statistics, ServiceTime serviceTime) {
		this.queue = queue;
		this.lifecycle = lifecycle;
		this.statistics = statistics;
		this.serviceTime = serviceTime;
	}

	@Override
	public void run() {
		try {
			while (true) {
				List<Call> calls = this.queue.takeBatch();
				calls.forEach((call) -> this.statistics.record(Stage.QUEUE, call.waitedNanos()));
				Runnable completion = runBatch(calls);
				// The client may send its next call as soon as it has its answer. This
				// thread is marked idle before that, so that the next call finds it idle.
				this.queue.markIdle();
				completion.run();
			}
		}
		catch (InterruptedException ex) {
			// The server closes.
			Thread.currentThread().interrupt();
		}
	}

	// Runs the calls. The returned task gives each call its outputs or its failure.
	private Runnable runBatch(List<Call> calls) {
		long startNanos = System.nanoTime();
		Thread thread = Thread.currentThread();
		List<Call> begunCalls = calls.stream()
			.filter((call) -> call.tryBegin(() -> cancelUnlessAwaited(thread), this.serviceTime.shortestRunNanos()))
			.toList();
		if (begunCalls.isEmpty()) {
			return () -> {
			};
		}
		try {
			if (begunCalls.size() == 1) {
				MDC.setContextMap(begunCalls.getFirst().logContext());
			}
			List<Map<String, Tensor>> outputs = Batch.split(infer(begunCalls, startNanos),
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
			runBatch(begunCalls.subList(0, half)).run();
			return runBatch(begunCalls.subList(half, begunCalls.size()));
		}
		finally {
			MDC.clear();
		}
	}

	private Map<String, Tensor> infer(List<Call> calls, long startNanos) {
		Map<String, Tensor> inputs = Batch.join(calls.stream().map(Call::inputs).toList());
		long inferStartNanos = System.nanoTime();
		int completedCalls = 0;
		setCallsInModel(calls);
		try {
			Map<String, Tensor> outputs = this.lifecycle.infer(inputs, Rejection::notReady);
			completedCalls = calls.size();
			this.statistics.recordRun(Batch.rowCount(inputs), System.nanoTime() - inferStartNanos);
			return outputs;
		}
		finally {
			setCallsInModel(List.of());
			// A late cancellation may interrupt this thread. Its next run must not see
			// the interrupt.
			Thread.interrupted();
			// A call that fails alone is counted, too. The calls of a cancelled run are
			// not counted, because a whole run takes longer. The calls of a failed
			// batch are counted when they run again.
			if (calls.size() == 1 && !calls.getFirst().isDone()) {
				completedCalls = 1;
			}
			this.serviceTime.record(System.nanoTime() - startNanos, completedCalls);
		}
	}

	private synchronized void setCallsInModel(List<Call> calls) {
		this.callsInModel = calls;
	}

	// Asks the model to end the run if no request waits for its calls any more.
	private synchronized void cancelUnlessAwaited(Thread thread) {
		if (!this.callsInModel.isEmpty() && this.callsInModel.stream().allMatch(Call::isDone)) {
			this.lifecycle.cancel(thread);
		}
	}

}
