package inference.admission;

import java.util.List;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * One run of the model, for one call or for a batch of calls. When nobody waits for any
 * of them, the model is asked to end the run.
 */
final class ModelRun {

	private final List<Call> calls;

	private final Consumer<Thread> cancellation;

	private @Nullable Thread thread;

	/**
	 * Creates a run that has not begun.
	 * @param cancellation asks the model to end the run that a thread is in
	 */
	ModelRun(List<Call> calls, Consumer<Thread> cancellation) {
		this.calls = calls;
		this.cancellation = cancellation;
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
			this.cancellation.accept(this.thread);
		}
	}

	/** Whether somebody waits for at least one of the calls. */
	boolean isAwaited() {
		return this.calls.stream().anyMatch((call) -> !call.isDone());
	}

}
