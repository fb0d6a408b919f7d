package inference.model;

import java.util.List;
import java.util.Map;

/**
 * The model that is served: a function from named tensors to named tensors. The
 * constructor loads the model, and {@link #close()} frees it. The server calls both
 * outside of request threads: the constructor after the port is open, and {@code close}
 * after the last call has returned.
 * <p>
 * To serve something other than an ONNX file, add one class,
 * {@code @Component class MyModel implements Model}. The server then uses this class
 * instead of {@link OnnxModel}.
 */
public interface Model extends AutoCloseable {

	/**
	 * The model's inputs and outputs, which never change. The server derives the checks
	 * of requests, their JSON forms and the metadata from the signature.
	 */
	Signature signature();

	/**
	 * Runs the model once. Several threads call this method at the same time. The first
	 * dimension of every tensor is the batch, unless the signature gives it a fixed size.
	 * @param inputs the signature's inputs, with checked data types and shapes. The map
	 * must not be changed, because the answer and the next warm-up run use it, too. Two
	 * inputs of one call may have different numbers of rows.
	 * @return the signature's outputs
	 * @throws IllegalArgumentException if the model cannot use the inputs. The client
	 * gets the message of this exception. If a library throws such an exception, catch it
	 * and throw a new one with a message for clients. It is logged at level debug.
	 * @throws InsufficientMemoryException if the call needs more memory than the model
	 * has. The client is told to send less, or to try again
	 * @throws DeviceLostException if no later call can succeed in this process
	 * @throws RuntimeException if the model fails for another reason
	 */
	Map<String, Tensor> infer(Map<String, Tensor> inputs);

	/**
	 * The golden examples of the model. The model is served only if it returns their
	 * outputs. The warm-up runs the model on their inputs.
	 * @return the examples; none by default
	 */
	default List<Example> examples() {
		return List.of();
	}

	/**
	 * Asks the model to end a running call early, because nobody waits for the outputs
	 * any more. If the model cannot end the call, the call keeps its thread. This method
	 * must return at once, because the client gets its error only afterwards.
	 * @param caller the thread that called {@link #infer}
	 */
	default void cancel(Thread caller) {
		caller.interrupt();
	}

	/**
	 * The name of the model's platform in the metadata of the Open Inference Protocol.
	 * @return {@code <project>_<format>}, for example {@code onnxruntime_onnx}
	 */
	default String platform() {
		return "java_class";
	}

	/**
	 * Frees the model. The server calls this method at most once, while no call runs. The
	 * process ends only after this method has returned.
	 */
	@Override
	default void close() {
	}

}
