package inference.protocol;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.Timer;

import org.springframework.core.io.ClassPathResource;

import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Stage;
import inference.health.Verdict;
import inference.model.Example;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * What server and model say of themselves, in the words of each dialect.
 */
final class Descriptions {

	// In elements: who asks for metadata, and often, does not expect megabytes.
	private static final long LARGEST_EXAMPLE = 10_000;

	private final ModelProperties model;

	private final String serverVersion;

	Descriptions(ModelProperties model, String serverVersion) {
		this.model = model;
		this.serverVersion = serverVersion;
	}

	Answer summary(Verdict startup, Verdict liveness, Verdict readiness) {
		return Answer.of(200,
				object("name", this.model.name(), "version", this.model.version(), "state", readiness.state(), "reason",
						readiness.reason(), "started", startup.passes(), "live", liveness.passes(), "ready",
						readiness.passes()));
	}

	/** KServe's list of models. */
	Answer models() {
		return Answer.of(200, object("models", List.of(this.model.name())));
	}

	/** TensorFlow Serving's model status, with KServe's two members. */
	Answer modelStatus(Verdict readiness) {
		boolean ready = readiness.passes();
		Object status = object("error_code", ready ? "OK" : "UNAVAILABLE", "error_message",
				ready ? "" : readiness.reason());
		Object version = object("version", this.model.version(), "state", ready ? "AVAILABLE" : "LOADING", "status",
				status);
		return Answer.of(200,
				object("name", this.model.name(), "ready", ready, "model_version_status", List.of(version)));
	}

	Answer server() {
		return Answer.of(200, object("name", "inference-server", "version", this.serverVersion, "extensions",
				List.of("binary_tensor_data", "statistics")));
	}

	Answer health(Verdict asked, Verdict liveness, Verdict readiness) {
		return Answer.of(asked.passes() ? 200 : 503, object("live", liveness.passes(), "ready", readiness.passes(),
				"state", asked.state(), "reason", asked.reason()));
	}

	Answer modelReady(Verdict readiness) {
		return Answer.of(readiness.passes() ? 200 : 503, object("name", this.model.name(), "ready", readiness.passes(),
				"state", readiness.state(), "reason", readiness.reason()));
	}

	Answer model(ModelMetadata metadata) {
		Signature signature = metadata.signature();
		return Answer.of(200,
				object("name", this.model.name(), "versions", List.of(this.model.version()), "platform",
						metadata.platform(), "inputs", tensors(signature.inputs()), "outputs",
						tensors(signature.outputs()), "parameters", parameters(signature, metadata.examples())));
	}

	Answer openApi() throws IOException {
		return Answer.of(200, new ClassPathResource("openapi.json").getContentAsByteArray());
	}

	/** Triton's statistics extension. */
	Answer statistics(Statistics statistics) {
		Timer[] failed = EnumSet.complementOf(EnumSet.of(Outcome.OK))
			.stream()
			.map(statistics::requests)
			.toArray(Timer[]::new);
		Timer run = statistics.stage(Stage.RUN);
		Object durations = object("success", duration(statistics.requests(Outcome.OK)), "fail", duration(failed),
				"queue", duration(statistics.stage(Stage.QUEUE)), "compute_input",
				duration(statistics.stage(Stage.READ)), "compute_infer", duration(run), "compute_output",
				duration(statistics.stage(Stage.WRITE)), "cache_hit", duration(), "cache_miss", duration());
		Object stats = object("name", this.model.name(), "version", this.model.version(), "last_inference",
				statistics.lastInference(), "inference_count", statistics.rows(), "execution_count", run.count(),
				"inference_stats", durations, "batch_stats", List.of());
		return Answer.of(200, object("model_stats", List.of(stats)));
	}

	private static Object duration(Timer... timers) {
		return object("count", Arrays.stream(timers).mapToLong(Timer::count).sum(), "ns",
				Arrays.stream(timers).mapToLong((timer) -> (long) timer.totalTime(TimeUnit.NANOSECONDS)).sum());
	}

	private static List<Object> tensors(List<TensorSpec> tensors) {
		return tensors.stream()
			.map((tensor) -> object("name", tensor.name(), "datatype", tensor.dataType(), "shape",
					tensor.shape().dimensions()))
			.toList();
	}

	/**
	 * The first golden example as the protocol's own request, in a text since a parameter
	 * is no object: what to send to see the model work.
	 */
	private static Map<String, String> parameters(Signature signature, List<Example> examples) {
		Map<String, Tensor> inputs = examples.isEmpty() ? Map.of() : examples.getFirst().inputs();
		long elements = inputs.values().stream().mapToLong((tensor) -> tensor.shape().elements()).sum();
		if (elements == 0 || elements > LARGEST_EXAMPLE) {
			return Map.of();
		}
		try {
			Answer request = Answer.of(new ArrayList<>(), (json) -> {
				json.writeArrayPropertyStart("inputs");
				for (TensorSpec spec : signature.inputs()) {
					Tensor tensor = inputs.get(spec.name());
					if (tensor != null) {
						Predictions.oip(json, spec.name(), tensor, null);
					}
				}
				json.writeEndArray();
			});
			return Map.of("example", new String(request.json().toByteArray(), StandardCharsets.UTF_8));
		}
		catch (RequestException ex) {
			// JSON cannot carry every tensor.
			return Map.of();
		}
	}

	private static Object object(Object... namesAndValues) {
		Map<Object, Object> object = new LinkedHashMap<>();
		for (int i = 0; i < namesAndValues.length; i += 2) {
			object.put(namesAndValues[i], namesAndValues[i + 1]);
		}
		return object;
	}

}
