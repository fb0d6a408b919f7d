package inference.protocol;

import java.util.List;
import java.util.Map;

import tools.jackson.core.JsonGenerator;

import inference.health.Verdict;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * The answers that are no failure, in the words of each dialect.
 */
final class Answers {

	private final ModelProperties model;

	Answers(ModelProperties model) {
		this.model = model;
	}

	Answer prediction(InferenceRequest request, Map<String, Tensor> outputs) {
		return Answer.of(200, (json) -> {
			switch (request.form()) {
				case ROWS -> rows(json, request.outputs(), outputs);
				case COLUMNS -> columns(json, request.outputs(), outputs);
				case OIP -> oip(json, request, outputs);
			}
		});
	}

	Answer summary(Verdict readiness) {
		return Answer.of(200, (json) -> {
			json.writeStringProperty("name", this.model.name());
			json.writeStringProperty("version", this.model.version());
			json.writeStringProperty("state", readiness.state());
			json.writeStringProperty("reason", readiness.reason());
			json.writeBooleanProperty("ready", readiness.passes());
		});
	}

	/** TensorFlow Serving's model status, with KServe's two members. */
	Answer modelStatus(Verdict readiness) {
		return Answer.of(200, (json) -> {
			json.writeStringProperty("name", this.model.name());
			json.writeBooleanProperty("ready", readiness.passes());
			json.writeArrayPropertyStart("model_version_status");
			json.writeStartObject();
			json.writeStringProperty("version", this.model.version());
			json.writeStringProperty("state", readiness.passes() ? "AVAILABLE" : "LOADING");
			json.writeObjectPropertyStart("status");
			json.writeStringProperty("error_code", readiness.passes() ? "OK" : "UNAVAILABLE");
			json.writeStringProperty("error_message", readiness.passes() ? "" : readiness.reason());
			json.writeEndObject();
			json.writeEndObject();
			json.writeEndArray();
		});
	}

	Answer serverMetadata(String version) {
		return Answer.of(200, (json) -> {
			json.writeStringProperty("name", "inference-server");
			json.writeStringProperty("version", version);
			json.writeArrayPropertyStart("extensions");
			json.writeEndArray();
		});
	}

	Answer health(Verdict liveness, Verdict readiness, boolean passes) {
		return Answer.of(passes ? 200 : 503, (json) -> {
			json.writeBooleanProperty("live", liveness.passes());
			json.writeBooleanProperty("ready", readiness.passes());
			json.writeStringProperty("state", readiness.state());
			json.writeStringProperty("reason", readiness.reason());
		});
	}

	Answer modelReady(Verdict readiness) {
		return Answer.of(readiness.passes() ? 200 : 503, (json) -> {
			json.writeStringProperty("name", this.model.name());
			json.writeBooleanProperty("ready", readiness.passes());
			json.writeStringProperty("reason", readiness.reason());
		});
	}

	Answer modelMetadata(Signature signature, String platform) {
		return Answer.of(200, (json) -> {
			json.writeStringProperty("name", this.model.name());
			json.writeArrayPropertyStart("versions");
			json.writeString(this.model.version());
			json.writeEndArray();
			json.writeStringProperty("platform", platform);
			specs(json, "inputs", signature.inputs());
			specs(json, "outputs", signature.outputs());
		});
	}

	private void oip(JsonGenerator json, InferenceRequest request, Map<String, Tensor> outputs) {
		json.writeStringProperty("model_name", this.model.name());
		json.writeStringProperty("model_version", this.model.version());
		if (request.id() != null) {
			json.writeStringProperty("id", request.id());
		}
		json.writeArrayPropertyStart("outputs");
		for (TensorSpec spec : request.outputs()) {
			Tensor tensor = tensor(outputs, spec);
			json.writeStartObject();
			json.writeStringProperty("name", spec.name());
			json.writeStringProperty("datatype", spec.dataType().name());
			shape(json, tensor.shape());
			json.writeName("data");
			new TensorWriter(spec.name(), tensor).flat(json);
			json.writeEndObject();
		}
		json.writeEndArray();
	}

	private static void rows(JsonGenerator json, List<TensorSpec> wanted, Map<String, Tensor> outputs) {
		List<TensorWriter> writers = wanted.stream()
			.map((spec) -> new TensorWriter(spec.name(), tensor(outputs, spec)))
			.toList();
		long count = rowCount(wanted, outputs);
		json.writeArrayPropertyStart("predictions");
		for (long row = 0; row < count; row++) {
			if (writers.size() == 1) {
				writers.getFirst().nested(json, 1);
				continue;
			}
			json.writeStartObject();
			for (int i = 0; i < writers.size(); i++) {
				json.writeName(wanted.get(i).name());
				writers.get(i).nested(json, 1);
			}
			json.writeEndObject();
		}
		json.writeEndArray();
	}

	private static void columns(JsonGenerator json, List<TensorSpec> wanted, Map<String, Tensor> outputs) {
		if (wanted.size() == 1) {
			json.writeName("outputs");
			new TensorWriter(wanted.getFirst().name(), tensor(outputs, wanted.getFirst())).nested(json, 0);
			return;
		}
		json.writeObjectPropertyStart("outputs");
		for (TensorSpec spec : wanted) {
			json.writeName(spec.name());
			new TensorWriter(spec.name(), tensor(outputs, spec)).nested(json, 0);
		}
		json.writeEndObject();
	}

	private static long rowCount(List<TensorSpec> wanted, Map<String, Tensor> outputs) {
		long[] counts = wanted.stream()
			.map((spec) -> tensor(outputs, spec).shape())
			.mapToLong((shape) -> (shape.rank() > 0) ? shape.dimension(0) : -1)
			.distinct()
			.toArray();
		if (counts.length != 1 || counts[0] < 0) {
			throw RequestException.bad(
					"The model's outputs %s do not all have one row per instance: use \"inputs\" in place of \"instances\"."
						.formatted(wanted));
		}
		return counts[0];
	}

	private static Tensor tensor(Map<String, Tensor> outputs, TensorSpec spec) {
		Tensor tensor = outputs.get(spec.name());
		if (tensor == null) {
			throw new IllegalStateException("the model did not return output '%s'".formatted(spec.name()));
		}
		return tensor;
	}

	private static void specs(JsonGenerator json, String member, List<TensorSpec> specs) {
		json.writeArrayPropertyStart(member);
		for (TensorSpec spec : specs) {
			json.writeStartObject();
			json.writeStringProperty("name", spec.name());
			json.writeStringProperty("datatype", spec.dataType().name());
			shape(json, spec.shape());
			json.writeEndObject();
		}
		json.writeEndArray();
	}

	private static void shape(JsonGenerator json, Shape shape) {
		json.writeArrayPropertyStart("shape");
		for (int i = 0; i < shape.rank(); i++) {
			json.writeNumber(shape.dimension(i));
		}
		json.writeEndArray();
	}

}
