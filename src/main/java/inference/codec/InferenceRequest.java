package inference.codec;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * A prediction that a client asks for, in whichever protocol.
 *
 * @param form the form of the request, which its answer shares
 * @param id the client's name for the request, which is sent back, or {@code null}
 * @param inputs exactly the signature's inputs
 * @param outputs the outputs that the client wants, in its order
 * @param timeout how long the client waits for the answer, or {@code null}
 */
public record InferenceRequest(Form form, @Nullable String id, Map<String, Tensor> inputs, List<Output> outputs,
		@Nullable Duration timeout) {

	/**
	 * The form of a request and of its answer.
	 */
	public enum Form {

		/** {@code {"instances": [row, …]}} to {@code {"predictions": [row, …]}}. */
		ROWS,

		/**
		 * {@code {"inputs": {name: tensor, …}}} to {@code {"outputs": {name: tensor,
		 * …}}}.
		 */
		COLUMNS,

		/** The Open Inference Protocol's list of named tensors, both ways. */
		OIP

	}

	/**
	 * An output that the client wants.
	 *
	 * @param spec the output's specification
	 * @param binary whether it is sent as bytes behind the JSON
	 */
	public record Output(TensorSpec spec, boolean binary) {
	}

}
