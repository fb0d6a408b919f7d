package inference.model;

import java.util.List;
import java.util.Map;

/**
 * The model that is served: a function from named tensors to named tensors. The
 * constructor loads it and {@link #close()} frees it. The server calls both outside of
 * request threads: the constructor after the port is open, {@code close} after the last
 * call has returned.
 * <p>
 * To serve other logic than an ONNX file's, add one class,
 * {@code @Component class MyModel implements Model}. It is served instead of
 * {@link OnnxModel}.
 */
public interface Model extends AutoCloseable {

	/**
	 * The model's inputs and outputs, which never change. Validation, the JSON forms and
	 * the metadata derive from them.
	 */
	Signature signature();

	/**
	 * Runs the model once. Several threads call this method at the same time. The first
	 * dimension of every tensor is the batch, unless the signature gives it a fixed size.
	 * @param inputs the signature's inputs; data types and shapes are checked
	 * @return the signature's outputs
	 * @throws IllegalArgumentException if the input is unusable. Its message is sent to
	 * the client. Any other exception is a failure of the model.
	 * @throws DeviceLostException if no later call can succeed in this process
	 */
	Map<String, Tensor> infer(Map<String, Tensor> inputs);

	/**
	 * Golden examples. The model is served only if it gets them right, and their inputs
	 * are used to warm it up.
	 * @return the examples; none by default
	 */
	default List<Example> examples() {
		return List.of();
	}

	/**
	 * Asks the model to end a running call early, because nobody waits for its answer any
	 * more. If the model cannot do so, the call runs on and keeps its thread.
	 * @param caller the thread that called {@link #infer}
	 */
	default void cancel(Thread caller) {
		caller.interrupt();
	}

	/**
	 * The model's platform in Open Inference Protocol metadata.
	 * @return {@code <project>_<format>}, for example {@code onnxruntime_onnx}
	 */
	default String platform() {
		return "java_class";
	}

	/** Frees the model. Called once, when no call is running. */
	@Override
	default void close() {
	}

}
