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
 * A prediction that a client asks for.
 *
 * @param format the format of the request and of its answer
 * @param id the client's name for the request, which is sent back, or {@code null}
 * @param inputs the tensors of all inputs by name
 * @param outputs the outputs that the client wants, in the client's order
 * @param timeout the time that the client waits for the answer, or {@code null}
 */
public record InferenceRequest(BodyFormat format, @Nullable String id, Map<String, Tensor> inputs,
		List<RequestedOutput> outputs, @Nullable Duration timeout) {

	/**
	 * Writes some inputs, such as those of a golden example, as a request of the Open
	 * Inference Protocol.
	 * @return the body, or {@code null} if bytes among the inputs are not text
	 */
	public static @Nullable String toJson(Map<String, Tensor> inputs) {
		if (inputs.values().stream().anyMatch(TensorWriter::hasNonUtf8)) {
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

	/**
	 * The format of a request's body and of its answer.
	 */
	public enum BodyFormat {

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
	public record RequestedOutput(TensorSpec spec, boolean binary) {
	}

}
