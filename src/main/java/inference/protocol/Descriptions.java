package inference.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.Timer;
import tools.jackson.core.JsonGenerator;

import org.springframework.core.io.ClassPathResource;

import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Stage;
import inference.health.Verdict;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.TensorSpec;

/**
 * What server and model say of themselves, in the words of each dialect.
 */
final class Descriptions {

	private final ModelProperties model;

	private final String serverVersion;

	Descriptions(ModelProperties model, String serverVersion) {
		this.model = model;
		this.serverVersion = serverVersion;
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

	/** KServe's list of models. */
	Answer models() {
		return Answer.of(200, (json) -> strings(json, "models", List.of(this.model.name())));
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

	Answer server() {
		return Answer.of(200, (json) -> {
			json.writeStringProperty("name", "inference-server");
			json.writeStringProperty("version", this.serverVersion);
			strings(json, "extensions", List.of("binary_tensor_data", "statistics"));
		});
	}

	Answer health(Verdict asked, Verdict liveness, Verdict readiness) {
		return Answer.of(asked.passes() ? 200 : 503, (json) -> {
			json.writeBooleanProperty("live", liveness.passes());
			json.writeBooleanProperty("ready", readiness.passes());
			json.writeStringProperty("state", asked.state());
			json.writeStringProperty("reason", asked.reason());
		});
	}

	Answer modelReady(Verdict readiness) {
		return Answer.of(readiness.passes() ? 200 : 503, (json) -> {
			json.writeStringProperty("name", this.model.name());
			json.writeBooleanProperty("ready", readiness.passes());
			json.writeStringProperty("state", readiness.state());
			json.writeStringProperty("reason", readiness.reason());
		});
	}

	Answer model(Signature signature, String platform) {
		return Answer.of(200, (json) -> {
			json.writeStringProperty("name", this.model.name());
			strings(json, "versions", List.of(this.model.version()));
			json.writeStringProperty("platform", platform);
			tensors(json, "inputs", signature.inputs());
			tensors(json, "outputs", signature.outputs());
		});
	}

	Answer openApi() throws IOException {
		ByteArrayOutputStream document = new ByteArrayOutputStream();
		document.write(new ClassPathResource("openapi.json").getContentAsByteArray());
		return new Answer(200, document, List.of(), null);
	}

	/** Triton's statistics extension. */
	Answer statistics(Statistics statistics) {
		return Answer.of(200, (json) -> {
			json.writeArrayPropertyStart("model_stats");
			json.writeStartObject();
			json.writeStringProperty("name", this.model.name());
			json.writeStringProperty("version", this.model.version());
			json.writeNumberProperty("last_inference", statistics.lastInference());
			json.writeNumberProperty("inference_count", statistics.rows());
			json.writeNumberProperty("execution_count", statistics.stage(Stage.RUN).count());
			json.writeObjectPropertyStart("inference_stats");
			duration(json, "success", statistics.requests(Outcome.OK));
			duration(json, "fail",
					EnumSet.complementOf(EnumSet.of(Outcome.OK))
						.stream()
						.map(statistics::requests)
						.toArray(Timer[]::new));
			duration(json, "queue", statistics.stage(Stage.QUEUE));
			duration(json, "compute_input", statistics.stage(Stage.READ));
			duration(json, "compute_infer", statistics.stage(Stage.RUN));
			duration(json, "compute_output", statistics.stage(Stage.WRITE));
			duration(json, "cache_hit");
			duration(json, "cache_miss");
			json.writeEndObject();
			json.writeArrayPropertyStart("batch_stats");
			json.writeEndArray();
			json.writeEndObject();
			json.writeEndArray();
		});
	}

	static void tensor(JsonGenerator json, TensorSpec tensor) {
		json.writeStringProperty("name", tensor.name());
		json.writeStringProperty("datatype", tensor.dataType().name());
		json.writeArrayPropertyStart("shape");
		for (int i = 0; i < tensor.shape().rank(); i++) {
			json.writeNumber(tensor.shape().dimension(i));
		}
		json.writeEndArray();
	}

	private static void duration(JsonGenerator json, String member, Timer... timers) {
		json.writeObjectPropertyStart(member);
		json.writeNumberProperty("count", Arrays.stream(timers).mapToLong(Timer::count).sum());
		json.writeNumberProperty("ns",
				Arrays.stream(timers).mapToLong((timer) -> (long) timer.totalTime(TimeUnit.NANOSECONDS)).sum());
		json.writeEndObject();
	}

	private static void tensors(JsonGenerator json, String member, List<TensorSpec> tensors) {
		json.writeArrayPropertyStart(member);
		for (TensorSpec tensor : tensors) {
			json.writeStartObject();
			tensor(json, tensor);
			json.writeEndObject();
		}
		json.writeEndArray();
	}

	private static void strings(JsonGenerator json, String member, List<String> values) {
		json.writeArrayPropertyStart(member);
		values.forEach(json::writeString);
		json.writeEndArray();
	}

}
