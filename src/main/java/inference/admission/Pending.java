package inference.admission;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;

import org.jspecify.annotations.Nullable;

import inference.model.Tensor;

/**
 * One request's call of the model, from its arrival to its outcome. Its own thread either
 * runs it or waits until another thread has.
 */
final class Pending {

	private final Map<String, Tensor> inputs;

	private final Deadline deadline;

	private final Client client;

	private final long arrived;

	private final Thread thread = Thread.currentThread();

	private long called;

	private volatile Stage stage = Stage.WAITING;

	private @Nullable Map<String, Tensor> outputs;

	private @Nullable Throwable failure;

	Pending(Map<String, Tensor> inputs, Deadline deadline, Client client, long arrived) {
		this.inputs = inputs;
		this.deadline = deadline;
		this.client = client;
		this.arrived = arrived;
		this.called = arrived;
	}

	/**
	 * How far a call has come.
	 */
	enum Stage {

		/** In the queue, if no slot was free. */
		WAITING,

		/** A slot is its own: its thread is to run it. */
		CALLED,

		/** Another thread runs it, together with its own. */
		TAKEN,

		/** It has outputs or a failure. */
		DONE;

		boolean isWaiting() {
			return this == WAITING || this == TAKEN;
		}

	}

	Map<String, Tensor> inputs() {
		return this.inputs;
	}

	Deadline deadline() {
		return this.deadline;
	}

	long remaining() {
		return this.deadline.remaining(System.nanoTime());
	}

	Client client() {
		return this.client;
	}

	long arrived() {
		return this.arrived;
	}

	/**
	 * Refuses what is not worth its slot: nobody waits for it, or the deadline would end
	 * it.
	 * @param least how long a run takes at least, in nanoseconds
	 */
	void requireWorth(long least) {
		if (this.client.isGone()) {
			throw new Refusal.ClientGone();
		}
		if (remaining() <= least) {
			throw this.deadline.tooNear();
		}
	}

	/** When its slot was free for it, in {@link System#nanoTime()}. */
	long called() {
		return this.called;
	}

	Stage stage() {
		return this.stage;
	}

	void call() {
		this.called = System.nanoTime();
		this.stage = Stage.CALLED;
		LockSupport.unpark(this.thread);
	}

	void take() {
		this.stage = Stage.TAKEN;
	}

	void complete(Map<String, Tensor> outputs) {
		this.outputs = outputs;
		end();
	}

	void fail(Throwable failure) {
		this.failure = failure;
		end();
	}

	/**
	 * What came of it.
	 * @return the model's outputs
	 * @throws RuntimeException what was thrown in place of them, or an error
	 */
	Map<String, Tensor> outcome() {
		return switch (this.failure) {
			case null -> Objects.requireNonNull(this.outputs);
			case RuntimeException ex -> throw ex;
			case Error ex -> throw ex;
			default -> throw new IllegalStateException(this.failure);
		};
	}

	private void end() {
		this.stage = Stage.DONE;
		if (this.thread != Thread.currentThread()) {
			LockSupport.unpark(this.thread);
		}
	}

}
