package inference.protocol;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

import inference.model.ModelProperties;
import inference.model.Tensor;
import inference.protocol.InferenceRequest.Output;

/**
 * Writes what the model returned, in the form in which it was asked.
 */
final class Predictions {

	private final ModelProperties model;

	Predictions(ModelProperties model) {
		this.model = model;
	}

	Answer answer(InferenceRequest request, Map<String, Tensor> outputs) {
		ArrayList<ByteBuffer> binaries = new ArrayList<>();
		return Answer.of(binaries, (json) -> {
			switch (request.form()) {
				case ROWS -> rows(json, request.outputs(), outputs);
				case COLUMNS -> columns(json, request.outputs(), outputs);
				case OIP -> oip(json, request, outputs, binaries);
			}
		});
	}

	private void oip(JsonGenerator json, InferenceRequest request, Map<String, Tensor> outputs,
			List<ByteBuffer> binaries) {
		json.writeStringProperty("model_name", this.model.name());
		json.writeStringProperty("model_version", this.model.version());
		if (request.id() != null) {
			json.writeStringProperty("id", request.id());
		}
		json.writeArrayPropertyStart("outputs");
		for (Output output : request.outputs()) {
			oip(json, output.spec().name(), tensor(outputs, output), output.binary() ? binaries : null);
		}
		json.writeEndArray();
	}

	/**
	 * A tensor of the Open Inference Protocol.
	 * @param binaries takes the contents; {@code null} to have them in the JSON
	 */
	static void oip(JsonGenerator json, String name, Tensor tensor, @Nullable List<ByteBuffer> binaries) {
		json.writeStartObject();
		json.writeStringProperty("name", name);
		json.writeStringProperty("datatype", tensor.dataType().name());
		json.writeName("shape");
		json.writeArray(tensor.shape().dimensions(), 0, tensor.shape().rank());
		if (binaries != null) {
			ByteBuffer contents = tensor.contents();
			json.writeObjectPropertyStart("parameters");
			json.writeNumberProperty("binary_data_size", contents.remaining());
			json.writeEndObject();
			binaries.add(contents);
		}
		else {
			json.writeName("data");
			new TensorWriter(name, tensor).flat(json);
		}
		json.writeEndObject();
	}

	private static void rows(JsonGenerator json, List<Output> wanted, Map<String, Tensor> outputs) {
		List<TensorWriter> writers = new ArrayList<>(wanted.size());
		long count = -1;
		for (Output output : wanted) {
			Tensor tensor = tensor(outputs, output);
			long rows = (tensor.shape().rank() > 0) ? tensor.shape().dimension(0) : -1;
			if (rows < 0 || (count >= 0 && rows != count)) {
				throw RequestException.bad("Not every output of the model has one row per instance: use \"inputs\" in "
						+ "place of \"instances\".");
			}
			count = rows;
			writers.add(new TensorWriter(output.spec().name(), tensor));
		}
		json.writeArrayPropertyStart("predictions");
		for (long row = 0; row < count; row++) {
			if (writers.size() == 1) {
				writers.getFirst().nested(json, 1);
				continue;
			}
			json.writeStartObject();
			for (int i = 0; i < writers.size(); i++) {
				json.writeName(wanted.get(i).spec().name());
				writers.get(i).nested(json, 1);
			}
			json.writeEndObject();
		}
		json.writeEndArray();
	}

	private static void columns(JsonGenerator json, List<Output> wanted, Map<String, Tensor> outputs) {
		json.writeName("outputs");
		boolean named = wanted.size() > 1;
		if (named) {
			json.writeStartObject();
		}
		for (Output output : wanted) {
			if (named) {
				json.writeName(output.spec().name());
			}
			new TensorWriter(output.spec().name(), tensor(outputs, output)).nested(json, 0);
		}
		if (named) {
			json.writeEndObject();
		}
	}

	private static Tensor tensor(Map<String, Tensor> outputs, Output output) {
		Tensor tensor = outputs.get(output.spec().name());
		if (tensor == null) {
			throw new IllegalStateException("the model did not return output '%s'".formatted(output.spec().name()));
		}
		return tensor;
	}

}
