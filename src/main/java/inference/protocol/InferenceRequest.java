package inference.protocol;

import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * What a client asks for, whatever dialect it spoke.
 *
 * @param form how it asked, and is to be answered
 * @param id its own name for the request, sent back, or {@code null}
 * @param inputs exactly the signature's inputs
 * @param outputs what it wants to have, in its order
 * @param timeout how long it waits for the answer, or {@code null}
 */
record InferenceRequest(Form form, @Nullable String id, Map<String, Tensor> inputs, List<Output> outputs,
		@Nullable Duration timeout) {

	/**
	 * The form of a request, which its answer shares.
	 */
	enum Form {

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
	 * A tensor to be sent back.
	 *
	 * @param spec which
	 * @param binary as bytes behind the JSON, not inside it
	 */
	record Output(TensorSpec spec, boolean binary) {
	}

}
