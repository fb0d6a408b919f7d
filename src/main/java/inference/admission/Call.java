package inference.admission;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import inference.model.Tensor;

/**
 * One request's call of the model. A model thread runs it; the request's own thread waits
 * for it, until the deadline at most, and is the only one that answers the client.
 */
final class Call {

	private final CompletableFuture<Map<String, Tensor>> outcome = new CompletableFuture<>();

	private final @Nullable Map<String, String> logContext = MDC.getCopyOfContextMap();

	private final long arrived = System.nanoTime();

	private final Map<String, Tensor> inputs;

	private final Deadline deadline;

	private final Client client;

	private Phase phase = Phase.WAITING;

	private @Nullable ModelRun run;

	Call(Map<String, Tensor> inputs, Deadline deadline, Client client) {
		this.inputs = inputs;
		this.deadline = deadline;
		this.client = client;
	}

	private enum Phase {

		WAITING, RUNNING, DONE

	}

	Map<String, Tensor> inputs() {
		return this.inputs;
	}

	Deadline deadline() {
		return this.deadline;
	}

	/** When the call was made, in {@link System#nanoTime()}. */
	long arrived() {
		return this.arrived;
	}

	/** The log's context of the request, for lines that the model logs. */
	@Nullable Map<String, String> logContext() {
		return this.logContext;
	}

	/**
	 * Begins the call, unless it is not worth a run: nobody waits for it any more, its
	 * client has gone, or its deadline would end it.
	 * @param run the run of the model that the call is part of
	 * @param quickestRun how long the model takes at least, in nanoseconds
	 * @return whether the call runs now
	 */
	synchronized boolean begin(ModelRun run, long quickestRun) {
		if (this.phase == Phase.DONE) {
			return false;
		}
		if (this.client.isGone()) {
			fail(new Rejection.ClientGone());
			return false;
		}
		if (this.deadline.remaining() <= quickestRun) {
			fail(this.deadline.tooNear());
			return false;
		}
		this.phase = Phase.RUNNING;
		this.run = run;
		return true;
	}

	/** Whether the call's own thread still waits for it. */
	synchronized boolean isAwaited() {
		return this.phase == Phase.RUNNING;
	}

	synchronized void complete(Map<String, Tensor> outputs) {
		this.phase = Phase.DONE;
		this.outcome.complete(outputs);
	}

	synchronized void fail(Throwable failure) {
		this.phase = Phase.DONE;
		this.outcome.completeExceptionally(failure);
	}

	/**
	 * Waits for the outputs.
	 * @return the model's outputs
	 * @throws Rejection if the deadline passes, or the call is not worth a run
	 */
	Map<String, Tensor> await() {
		try {
			return this.outcome.get(this.deadline.remaining(), TimeUnit.NANOSECONDS);
		}
		catch (TimeoutException ex) {
			throw this.deadline.exceeded(abandon() ? "was inside the model" : "waited for the model");
		}
		catch (InterruptedException ex) {
			abandon();
			Thread.currentThread().interrupt();
			throw new Rejection.NotReady("the server is stopping");
		}
		catch (ExecutionException ex) {
			switch (ex.getCause()) {
				case RuntimeException failure -> throw failure;
				case Error error -> throw error;
				case null, default -> throw new IllegalStateException(ex);
			}
		}
	}

	// True if the model was running the call.
	private synchronized boolean abandon() {
		boolean running = this.phase == Phase.RUNNING;
		this.phase = Phase.DONE;
		if (running && this.run != null) {
			this.run.abandon();
		}
		return running;
	}

}
