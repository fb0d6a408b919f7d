package inference.admission;

import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;

/**
 * One run of the model, for one call or for a batch of calls. When nobody waits for any
 * of them, the model is asked to end the run.
 */
final class ModelRun {

	private final Consumer<Thread> cancellation;

	private int awaited;

	private @Nullable Thread thread;

	/**
	 * A run that has not begun.
	 * @param cancellation asks the model to end the run that a thread is in
	 */
	ModelRun(Consumer<Thread> cancellation) {
		this.cancellation = cancellation;
	}

	/** Marks the calling thread as the one that runs the model for some calls. */
	synchronized void begin(int calls) {
		this.thread = Thread.currentThread();
		this.awaited += calls;
	}

	/** Marks the end of the run. Afterwards it is not cancelled any more. */
	synchronized void end() {
		this.thread = null;
		// A cancellation may have come after the model had returned.
		Thread.interrupted();
	}

	/** Counts a call for which nobody waits any more. */
	synchronized void abandon() {
		this.awaited--;
		if (this.thread != null && this.awaited <= 0) {
			this.cancellation.accept(this.thread);
		}
	}

}
