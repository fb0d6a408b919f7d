package inference.web;

import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.Timer;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Stage;
import inference.model.DataType;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.TensorSpec;

/**
 * A model's signature in the form of Triton's model configuration and of TensorFlow
 * Serving's metadata, and the durations of requests in Triton's form. Load generators
 * such as {@code perf_analyzer} read Triton's forms.
 *
 * @param modelProperties the model's name and version
 * @param metadata the signature and the platform
 */
record ModelDescriptions(ModelProperties modelProperties, ModelMetadata metadata) {

	// Triton's format needs the largest number of rows for a batchable model. This server
	// limits the bytes of a body instead, so it does not enforce this number.
	private static final int NOMINAL_MAX_BATCH_SIZE = 4096;

	/** Triton's {@code ModelConfig} message in JSON. */
	JsonNode tritonConfig() {
		List<TensorSpec> inputs = this.metadata.signature().inputs();
		List<TensorSpec> outputs = this.metadata.signature().outputs();
		boolean isBatchable = this.metadata.signature().isBatchable();
		String platform = this.metadata.platform();
		return newObject().put("name", this.modelProperties.name())
			.put("platform", platform)
			.put("backend", platform.substring(0, Math.max(platform.indexOf('_'), 0)))
			.putPOJO("version_policy", newObject().set("latest", newObject().put("num_versions", 1)))
			.put("max_batch_size", isBatchable ? NOMINAL_MAX_BATCH_SIZE : 0)
			.putPOJO("input", inputs.stream().map((input) -> tritonTensor(input, isBatchable)).toList())
			.putPOJO("output", outputs.stream().map((output) -> tritonTensor(output, isBatchable)).toList())
			.set("parameters", newObject());
	}

	// Triton's "dims" omit the batch dimension of a batchable model, but are never empty.
	private static ObjectNode tritonTensor(TensorSpec tensor, boolean isBatchable) {
		Shape shape = isBatchable ? tensor.shape().rowShape() : tensor.shape();
		ObjectNode description = newObject().put("name", tensor.name())
			.put("data_type", "TYPE_" + ((tensor.dataType() == DataType.BYTES) ? "STRING" : tensor.dataType().name()));
		return (shape.rank() > 0) ? description.putPOJO("dims", shape.dimensions())
				: description.putPOJO("dims", new long[] { 1 })
					.set("reshape", newObject().putPOJO("shape", shape.dimensions()));
	}

	/** TensorFlow Serving's {@code GetModelMetadataResponse} message in JSON. */
	JsonNode tensorFlowMetadata() {
		JsonNode signatureDef = newObject().set("inputs", tensorFlowTensors(this.metadata.signature().inputs()))
			.set("outputs", tensorFlowTensors(this.metadata.signature().outputs()))
			.put("method_name", "tensorflow/serving/predict");
		JsonNode signatureDefs = newObject().set("signature_def", newObject().set("serving_default", signatureDef));
		return newObject()
			.set("model_spec",
					newObject().put("name", this.modelProperties.name())
						.put("signature_name", "")
						.put("version", this.modelProperties.version()))
			.set("metadata", newObject().set("signature_def", signatureDefs));
	}

	private static ObjectNode tensorFlowTensors(List<TensorSpec> tensors) {
		ObjectNode descriptions = newObject();
		for (TensorSpec tensor : tensors) {
			ObjectNode shape = newObject().put("unknown_rank", tensor.shape().hasUnknownRank());
			for (long size : tensor.shape().hasUnknownRank() ? new long[0] : tensor.shape().dimensions()) {
				shape.withArray("dim").addObject().put("size", Long.toString(size)).put("name", "");
			}
			descriptions.set(tensor.name(),
					newObject().put("dtype", tensorFlowType(tensor.dataType()))
						.put("name", tensor.name())
						.set("tensor_shape", shape));
		}
		return descriptions;
	}

	private static String tensorFlowType(DataType type) {
		return switch (type) {
			case BYTES -> "DT_STRING";
			case FP16 -> "DT_HALF";
			case BF16 -> "DT_BFLOAT16";
			case FP32 -> "DT_FLOAT";
			case FP64 -> "DT_DOUBLE";
			case BOOL, INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 -> "DT_" + type;
		};
	}

	/** The durations of requests and their stages in the form of Triton's statistics. */
	static JsonNode tritonDurations(Statistics statistics) {
		List<Timer> succeededTimers = statistics.requestTimers(Outcome.OK).toList();
		List<Timer> failedTimers = EnumSet.complementOf(EnumSet.of(Outcome.OK))
			.stream()
			.flatMap(statistics::requestTimers)
			.toList();
		// perf_analyzer stops if the stages have different counts. While requests run,
		// the real counts differ, so every stage gets the number of successful requests.
		long count = count(succeededTimers);
		return newObject().set("success", duration(count, succeededTimers))
			.set("fail", duration(count(failedTimers), failedTimers))
			.set("queue", duration(count, List.of(statistics.stageTimer(Stage.QUEUE))))
			.set("compute_input", duration(count, List.of(statistics.stageTimer(Stage.READ))))
			.set("compute_infer", duration(count, List.of(statistics.stageTimer(Stage.RUN))))
			.set("compute_output", duration(count, List.of(statistics.stageTimer(Stage.WRITE))))
			.set("cache_hit", duration(0, List.of()))
			.set("cache_miss", duration(0, List.of()));
	}

	private static long count(List<Timer> timers) {
		return timers.stream().mapToLong(Timer::count).sum();
	}

	private static JsonNode duration(long count, List<Timer> timers) {
		double nanos = timers.stream().mapToDouble((timer) -> timer.totalTime(TimeUnit.NANOSECONDS)).sum();
		return newObject().put("count", count).put("ns", (long) nanos);
	}

	static ObjectNode newObject() {
		return JsonNodeFactory.instance.objectNode();
	}

}
