package inference.admission;

import java.util.List;

import org.jspecify.annotations.Nullable;

import inference.lifecycle.ModelLifecycle;

/**
 * One run of the model, for one call or for a batch of calls. When no request waits for
 * these calls any more, the model is asked to end the run.
 */
final class ModelRun {

	private final List<Call> calls;

	private final ModelLifecycle lifecycle;

	private @Nullable Thread thread;

	ModelRun(List<Call> calls, ModelLifecycle lifecycle) {
		this.calls = calls;
		this.lifecycle = lifecycle;
	}

	/** Notes that the calling thread enters the model. */
	synchronized void begin() {
		this.thread = Thread.currentThread();
	}

	/** Notes that the run has ended, so that it is not cancelled any more. */
	synchronized void end() {
		this.thread = null;
		// An interrupt by a late cancellation must not reach this thread's next run.
		Thread.interrupted();
	}

	/** Asks the model to end the run if no request waits for its calls. */
	synchronized void cancelUnlessAwaited() {
		if (this.thread != null && !isAwaited()) {
			this.lifecycle.cancel(this.thread);
		}
	}

	/** Whether a request waits for at least one of the calls. */
	boolean isAwaited() {
		return this.calls.stream().anyMatch((call) -> !call.isDone());
	}

}
