package inference.model;

import java.nio.ByteBuffer;
import java.util.Map;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.RunOptions;
import org.jspecify.annotations.Nullable;

/**
 * What one call after another needs besides the model: memory for small tensors, the
 * binding of the last call, whose shapes the next one often has, too, and the means to
 * end a call from another thread. To make all this anew takes as long as a small model.
 */
final class OnnxCall implements AutoCloseable {

	// In bytes: a small input or two, and as small outputs
	private static final int MEMORY = 2 * OnnxBinding.LARGE;

	private final OrtEnvironment environment;

	private final ByteBuffer memory = ByteBuffer.allocateDirect(MEMORY);

	private final RunOptions options = new RunOptions();

	private @Nullable OnnxBinding binding;

	private @Nullable Thread caller;

	private boolean terminated;

	OnnxCall(OrtEnvironment environment) throws OrtException {
		this.environment = environment;
	}

	/**
	 * Takes this for a call of the current thread.
	 * @return whether it was free; then {@link #exit()} is to follow
	 */
	synchronized boolean enter() {
		if (this.caller != null) {
			return false;
		}
		this.caller = Thread.currentThread();
		return true;
	}

	synchronized void exit() throws OrtException {
		this.caller = null;
		if (this.terminated) {
			this.terminated = false;
			this.options.setTerminate(false);
		}
	}

	/** Ends the call of a thread, if this is its. */
	synchronized void terminate(Thread thread) {
		try {
			if (this.caller == thread) {
				this.terminated = true;
				this.options.setTerminate(true);
			}
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime refused to end a call", ex);
		}
	}

	Map<String, Tensor> run(OrtSession session, OnnxOutputs outputs, Map<String, Tensor> inputs) throws OrtException {
		OnnxBinding bound = this.binding;
		if (bound == null || !bound.fits(outputs, inputs)) {
			bound = bind(outputs, inputs);
		}
		try {
			bound.put(inputs);
			try (OrtSession.Result result = session.run(bound.inputs(), bound.others(), bound.pinned(), this.options)) {
				return bound.tensors(result);
			}
		}
		finally {
			if (!bound.isReusable()) {
				close(bound);
			}
		}
	}

	private OnnxBinding bind(OnnxOutputs outputs, Map<String, Tensor> inputs) throws OrtException {
		close(this.binding);
		OnnxBinding bound = new OnnxBinding(this.environment, outputs, this.memory.clear());
		this.binding = bound;
		try {
			bound.bind(inputs);
			return bound;
		}
		catch (OrtException | RuntimeException | Error ex) {
			close(bound);
			throw ex;
		}
	}

	private void close(@Nullable OnnxBinding bound) {
		this.binding = null;
		if (bound != null) {
			bound.close();
		}
	}

	@Override
	public void close() {
		close(this.binding);
		this.options.close();
	}

}
