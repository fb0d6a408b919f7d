package inference.codec;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * A client's request for a prediction.
 *
 * @param format the format of the request and of its answer
 * @param id the id in the request's body, or {@code null}
 * @param inputs the tensors of all inputs by name
 * @param outputs the wanted outputs in the client's order; by default all outputs
 * @param binaryOutputs the wanted outputs that are sent as bytes behind the JSON, in the
 * same order
 * @param timeout the timeout in the request's parameters, or {@code null}
 */
public record InferenceRequest(BodyFormat format, @Nullable String id, Map<String, Tensor> inputs,
		List<TensorSpec> outputs, List<TensorSpec> binaryOutputs, @Nullable Duration timeout) {

	/**
	 * Writes some inputs, such as those of a golden example, as a request of the Open
	 * Inference Protocol.
	 * @return the body, or {@code null} if a BYTES input has bytes that are not UTF-8
	 */
	public static @Nullable String toJson(Map<String, Tensor> inputs) {
		if (inputs.values().stream().anyMatch(TensorWriter::hasNonUtf8Bytes)) {
			return null;
		}
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		try (JsonGenerator generator = Json.generator(body)) {
			generator.writeStartObject();
			generator.writeArrayPropertyStart("inputs");
			inputs.forEach((name, tensor) -> TensorWriter.writeOip(generator, name, tensor, false));
			generator.writeEndArray();
			generator.writeEndObject();
		}
		return body.toString(StandardCharsets.UTF_8);
	}

	/** The number of rows in each input of a request in the format ROWS. */
	long instanceCount() {
		return this.inputs.values().iterator().next().shape().dimension(0);
	}

	/**
	 * The format of a request's body and of its answer.
	 */
	public enum BodyFormat {

		/**
		 * The request is {@code {"instances": [row, …]}}, and the answer is
		 * {@code {"predictions": [row, …]}}.
		 */
		ROWS,

		/**
		 * The request is {@code {"inputs": {name: tensor, …}}}, and the answer is
		 * {@code {"outputs": {name: tensor, …}}}.
		 */
		COLUMNS,

		/** The Open Inference Protocol: requests and answers list named tensors. */
		OIP

	}

}
