package inference.admission;

import java.util.List;

import org.jspecify.annotations.Nullable;

import inference.lifecycle.ModelLifecycle;

/**
 * One run of the model, for one call or for a batch of calls. When nobody waits for any
 * of them, the model is asked to end the run.
 */
final class ModelRun {

	private final List<Call> calls;

	private final ModelLifecycle lifecycle;

	private @Nullable Thread thread;

	ModelRun(List<Call> calls, ModelLifecycle lifecycle) {
		this.calls = calls;
		this.lifecycle = lifecycle;
	}

	/** Marks the calling thread as the one that is inside the model. */
	synchronized void begin() {
		this.thread = Thread.currentThread();
	}

	/** Marks the end of the run. Afterwards it is not cancelled any more. */
	synchronized void end() {
		this.thread = null;
		// Clears an interrupt that a late cancellation has left.
		Thread.interrupted();
	}

	/** Asks the model to end the run if nobody waits for any of its calls. */
	synchronized void cancelUnlessAwaited() {
		if (this.thread != null && !isAwaited()) {
			this.lifecycle.cancel(this.thread);
		}
	}

	/** Whether somebody waits for at least one of the calls. */
	boolean isAwaited() {
		return this.calls.stream().anyMatch((call) -> !call.isDone());
	}

}
