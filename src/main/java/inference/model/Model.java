package inference.model;

import java.util.List;
import java.util.Map;

/**
 * What is served: a function from named tensors to named tensors. The constructor loads,
 * {@link #close()} frees; the server does both off the request threads, constructs after
 * its port is open and closes after the last call has returned.
 * <p>
 * A fork with logic of its own adds one class, {@code @Component class MyModel implements
 * Model}, and it is served in place of {@link OnnxModel}.
 */
public interface Model extends AutoCloseable {

	/**
	 * The named tensors this model takes and gives. Fixed for the model's life: row and
	 * Open Inference Protocol JSON, validation and metadata all derive from it.
	 * @return the signature
	 */
	Signature signature();

	/**
	 * Runs the model once. Called concurrently. The first dimension of every tensor is
	 * the batch, unless its shape in the signature says otherwise.
	 * @param inputs exactly the signature's inputs, data types and shapes checked
	 * @return exactly the signature's outputs
	 * @throws IllegalArgumentException if the input is unusable; the message is sent to
	 * the client. Anything else thrown is the model's own failure.
	 * @throws DeviceLostException if no further call can succeed in this process
	 */
	Map<String, Tensor> infer(Map<String, Tensor> inputs);

	/**
	 * Golden examples, which the model must get right before it is served, and whose
	 * inputs warm it up.
	 * @return the examples, none by default
	 */
	default List<Example> examples() {
		return List.of();
	}

	/**
	 * Asks for the early end of the call that a thread is in, because its answer would
	 * come too late. A model that cannot end it lets it run; its slot stays taken.
	 * @param caller the thread that called {@link #infer}
	 */
	default void cancel(Thread caller) {
		caller.interrupt();
	}

	/**
	 * The model's format as Open Inference Protocol metadata names it.
	 * @return {@code <project>_<format>}, {@code onnxruntime_onnx} for example
	 */
	default String platform() {
		return "java_class";
	}

	/**
	 * Frees what the constructor took. Called once, when no call is running.
	 */
	@Override
	default void close() {
	}

}
