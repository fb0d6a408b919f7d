package inference.web;

import java.util.List;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

import inference.model.DataType;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.TensorSpec;

/**
 * A model's signature in the form of Triton's model configuration and of TensorFlow
 * Serving's metadata. Load generators such as {@code perf_analyzer} read the former.
 *
 * @param served the name and the version
 * @param metadata the signature and the platform
 */
record ModelConfig(ModelProperties served, ModelMetadata metadata) {

	// Triton wants a number. Here only the size of the body limits the rows of a request.
	private static final int MAX_BATCH_SIZE = 4096;

	/** Triton's {@code ModelConfig} message in JSON. */
	JsonNode triton() {
		List<TensorSpec> inputs = this.metadata.signature().inputs();
		List<TensorSpec> outputs = this.metadata.signature().outputs();
		boolean batched = this.metadata.signature().isBatched();
		String platform = this.metadata.platform();
		return object().put("name", this.served.name())
			.put("platform", platform)
			.put("backend", platform.substring(0, Math.max(platform.indexOf('_'), 0)))
			.putPOJO("version_policy", object().set("latest", object().put("num_versions", 1)))
			.put("max_batch_size", batched ? MAX_BATCH_SIZE : 0)
			.putPOJO("input", inputs.stream().map((input) -> triton(input, batched)).toList())
			.putPOJO("output", outputs.stream().map((output) -> triton(output, batched)).toList())
			.set("parameters", object());
	}

	// Triton's shapes have no batch dimension and at least one other.
	private static ObjectNode triton(TensorSpec tensor, boolean batched) {
		Shape shape = batched ? tensor.shape().row() : tensor.shape();
		ObjectNode description = object().put("name", tensor.name())
			.put("data_type", "TYPE_" + ((tensor.dataType() == DataType.BYTES) ? "STRING" : tensor.dataType().name()));
		return (shape.rank() > 0) ? description.putPOJO("dims", shape.dimensions())
				: description.putPOJO("dims", new long[] { 1 })
					.set("reshape", object().putPOJO("shape", shape.dimensions()));
	}

	/** TensorFlow Serving's {@code GetModelMetadataResponse} message in JSON. */
	JsonNode tensorFlow() {
		JsonNode signature = object().set("inputs", tensorFlow(this.metadata.signature().inputs()))
			.set("outputs", tensorFlow(this.metadata.signature().outputs()))
			.put("method_name", "tensorflow/serving/predict");
		JsonNode signatures = object().set("signature_def", object().set("serving_default", signature));
		return object()
			.set("model_spec",
					object().put("name", this.served.name())
						.put("signature_name", "")
						.put("version", this.served.version()))
			.set("metadata", object().set("signature_def", signatures));
	}

	private static ObjectNode tensorFlow(List<TensorSpec> tensors) {
		ObjectNode described = object();
		for (TensorSpec tensor : tensors) {
			ObjectNode shape = object().put("unknown_rank", false);
			for (long size : tensor.shape().dimensions()) {
				shape.withArray("dim").addObject().put("size", Long.toString(size)).put("name", "");
			}
			described.set(tensor.name(),
					object().put("dtype", tensorFlow(tensor.dataType()))
						.put("name", tensor.name())
						.set("tensor_shape", shape));
		}
		return described;
	}

	private static String tensorFlow(DataType type) {
		return switch (type) {
			case BYTES -> "DT_STRING";
			case FP16 -> "DT_HALF";
			case BF16 -> "DT_BFLOAT16";
			case FP32 -> "DT_FLOAT";
			case FP64 -> "DT_DOUBLE";
			case BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 -> "DT_" + type;
		};
	}

	static ObjectNode object() {
		return JsonNodeFactory.instance.objectNode();
	}

}
