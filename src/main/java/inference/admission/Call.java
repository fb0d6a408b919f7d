package inference.admission;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.MDC;

import inference.admission.Rejection.Kind;
import inference.model.Tensor;

/**
 * One request's call of the model, and the future of its outputs. A model thread runs the
 * call. The request's own thread waits for the outputs, until the deadline at most, and
 * only that thread answers the client.
 */
final class Call extends CompletableFuture<Map<String, Tensor>> {

	private static final long MAX_SHORT_WAIT_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

	private final Map<String, String> logContext = Objects.requireNonNullElse(MDC.getCopyOfContextMap(), Map.of());

	private final long arrivalNanos = System.nanoTime();

	private final Map<String, Tensor> inputs;

	private final Deadline deadline;

	private final BooleanSupplier isClientGone;

	private volatile @Nullable Runnable cancelRun;

	Call(Map<String, Tensor> inputs, Deadline deadline, BooleanSupplier isClientGone) {
		this.inputs = inputs;
		this.deadline = deadline;
		this.isClientGone = isClientGone;
	}

	Map<String, Tensor> inputs() {
		return this.inputs;
	}

	long rowCount() {
		return Batch.rowCount(this.inputs);
	}

	long waitedNanos() {
		return System.nanoTime() - this.arrivalNanos;
	}

	/** The MDC of the request's thread, for the lines that the model logs. */
	Map<String, String> logContext() {
		return this.logContext;
	}

	/**
	 * Begins the call, unless the request's thread no longer waits, the client has gone,
	 * or the deadline would pass inside the model.
	 * @param cancelRun asks the model to end the run if no request waits for its calls
	 */
	synchronized boolean tryBegin(Runnable cancelRun, long shortestRunNanos) {
		if (isDone()) {
			return false;
		}
		// isClientGone may read from the connection. The lock makes abandon() wait
		// meanwhile, so that only one thread at a time uses the connection.
		if (this.isClientGone.getAsBoolean()) {
			completeExceptionally(clientGone());
			return false;
		}
		if (this.deadline.remainingNanos() <= shortestRunNanos) {
			completeExceptionally(new Rejection(Kind.DEADLINE_EXCEEDED,
					"The deadline of %d ms left no time for the model after the wait"
						.formatted(this.deadline.timeGranted().toMillis())));
			return false;
		}
		this.cancelRun = cancelRun;
		return true;
	}

	/**
	 * Waits for the outputs.
	 * @param timer ends the wait after 20 ms and at the deadline
	 * @param longWaitExecutor runs the rest of the wait after the first 20 ms, on the
	 * calling thread
	 * @throws Rejection if the deadline passes, the model thread does not begin the call,
	 * the client has gone during a wait of more than 20 ms, the model fails, or the
	 * thread is interrupted
	 */
	Map<String, Tensor> await(ScheduledExecutorService timer, Executor longWaitExecutor) {
		awaitDone(timer, Math.min(MAX_SHORT_WAIT_NANOS, this.deadline.remainingNanos()));
		if (!isDone()) {
			longWaitExecutor.execute(() -> awaitDone(timer, this.deadline.remainingNanos()));
			// This check is repeated here, because an answer can often be written to a
			// closed connection without an error. The metrics would count a success.
			if (isDone() && !isCompletedExceptionally() && this.isClientGone.getAsBoolean()) {
				throw clientGone();
			}
		}
		if (!isDone()) {
			abandon(Thread.currentThread().isInterrupted() ? Rejection.notReady("the server is stopping")
					: this.deadline
						.exceededRejection((this.cancelRun != null) ? "was inside the model" : "waited for the model"));
		}
		// If the outputs came just before abandon(), they are still returned.
		if (isCompletedExceptionally()) {
			throw Rejection.ofModelFailure(exceptionNow());
		}
		return resultNow();
	}

	// The timer ends the wait. If a virtual thread itself waited with a timeout, the JDK
	// would wake a thread of its own, which takes longer than a run of a small model. A
	// new timeout wakes the timer's thread only if it is the first to end.
	private void awaitDone(ScheduledExecutorService timer, long timeoutNanos) {
		CompletableFuture<Map<String, Tensor>> outputsOrTimeout = copy();
		Future<?> timeout = timer.schedule(() -> outputsOrTimeout.complete(Map.of()), timeoutNanos,
				TimeUnit.NANOSECONDS);
		try {
			var _ = outputsOrTimeout.get();
		}
		catch (ExecutionException ex) {
			// The call has failed, so isDone() is true.
		}
		catch (InterruptedException ex) {
			// The thread stays interrupted, so that a second wait ends at once.
			Thread.currentThread().interrupt();
		}
		finally {
			timeout.cancel(false);
		}
	}

	private static Rejection clientGone() {
		return new Rejection(Kind.CLIENT_GONE, "The client gave up");
	}

	private void abandon(Rejection rejection) {
		synchronized (this) {
			completeExceptionally(rejection);
		}
		Runnable cancelRun = this.cancelRun;
		if (cancelRun != null) {
			cancelRun.run();
		}
	}

}
