package inference.codec;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

import tools.jackson.core.JsonGenerator;

import inference.model.Tensor;

/**
 * A tensor as the Open Inference Protocol writes it, the same in requests and answers.
 */
public final class OipTensor {

	private OipTensor() {
	}

	/**
	 * The protocol's request in JSON for some inputs, such as a golden example's.
	 * @param inputs tensors that JSON can carry
	 * @return the body
	 * @throws InvalidRequestException if JSON cannot carry them
	 */
	public static String request(Map<String, Tensor> inputs) {
		inputs.forEach((name, tensor) -> TensorWriter.requireJson(name, tensor, false));
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		try (JsonGenerator json = Json.generator(body)) {
			json.writeStartObject();
			json.writeArrayPropertyStart("inputs");
			inputs.forEach((name, tensor) -> write(json, name, tensor, false));
			json.writeEndArray();
			json.writeEndObject();
		}
		return body.toString(StandardCharsets.UTF_8);
	}

	/** Writes a tensor; a binary one without its contents, which come behind the JSON. */
	static void write(JsonGenerator json, String name, Tensor tensor, boolean binary) {
		json.writeStartObject();
		json.writeStringProperty("name", name);
		json.writeStringProperty("datatype", tensor.dataType().name());
		json.writeName("shape");
		json.writeArray(tensor.shape().dimensions(), 0, tensor.shape().rank());
		if (binary) {
			json.writeObjectPropertyStart("parameters");
			json.writeNumberProperty("binary_data_size", tensor.contents().remaining());
			json.writeEndObject();
		}
		else {
			json.writeName("data");
			new TensorWriter(tensor).flat(json);
		}
		json.writeEndObject();
	}

}
