package inference.web;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.Timer;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.stereotype.Component;

import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Stage;
import inference.codec.InferenceRequest;
import inference.health.Probe;
import inference.health.Probes;
import inference.health.Verdict;
import inference.model.Example;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Describes the server and the model in the words of each protocol, as objects for
 * Jackson.
 */
@Component
final class Metadata {

	// In elements. Clients ask for metadata often and do not expect megabytes.
	private static final long MAX_EXAMPLE_SIZE = 10_000;

	private final ModelProperties model;

	private final Probes probes;

	private final String serverVersion;

	Metadata(ModelProperties model, Probes probes, ObjectProvider<BuildProperties> build) {
		this.model = model;
		this.probes = probes;
		BuildProperties properties = build.getIfAvailable();
		this.serverVersion = (properties != null) ? String.valueOf(properties.getVersion()) : "unknown";
	}

	/** What {@code GET /} answers. */
	Object summary() {
		Verdict readiness = this.probes.ask(Probe.READINESS);
		return object("name", this.model.name(), "version", this.model.version(), "state", readiness.state(), "reason",
				readiness.reason(), "started", this.probes.ask(Probe.STARTUP).passes(), "live",
				this.probes.ask(Probe.LIVENESS).passes(), "ready", readiness.passes());
	}

	/** KServe's list of models. */
	Object models() {
		return object("models", List.of(this.model.name()));
	}

	/** TensorFlow Serving's model status, with KServe's two members. */
	Object modelStatus() {
		Verdict readiness = this.probes.ask(Probe.READINESS);
		boolean ready = readiness.passes();
		Object status = object("error_code", ready ? "OK" : "UNAVAILABLE", "error_message",
				ready ? "" : readiness.reason());
		Object version = object("version", this.model.version(), "state", ready ? "AVAILABLE" : "LOADING", "status",
				status);
		return object("name", this.model.name(), "ready", ready, "model_version_status", List.of(version));
	}

	/** The Open Inference Protocol's server metadata. */
	Object server() {
		return object("name", "inference-server", "version", this.serverVersion, "extensions",
				List.of("binary_tensor_data", "statistics"));
	}

	/** The Open Inference Protocol's health, for liveness or readiness. */
	Object health(Verdict asked) {
		return object("live", this.probes.ask(Probe.LIVENESS).passes(), "ready",
				this.probes.ask(Probe.READINESS).passes(), "state", asked.state(), "reason", asked.reason());
	}

	/** The Open Inference Protocol's readiness of the model. */
	Object modelReady(Verdict readiness) {
		return object("name", this.model.name(), "ready", readiness.passes(), "state", readiness.state(), "reason",
				readiness.reason());
	}

	/** The Open Inference Protocol's model metadata. */
	Object model(ModelMetadata metadata) {
		Signature signature = metadata.signature();
		return object("name", this.model.name(), "versions", List.of(this.model.version()), "platform",
				metadata.platform(), "inputs", tensors(signature.inputs()), "outputs", tensors(signature.outputs()),
				"parameters", parameters(metadata.examples()));
	}

	/** Triton's statistics extension. */
	Object statistics(Statistics statistics) {
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
		return object("model_stats", List.of(stats));
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

	// The first golden example as the protocol's own request. It is a string, because a
	// parameter is no object. The console fills its form with it.
	private static Map<String, String> parameters(List<Example> examples) {
		Map<String, Tensor> inputs = examples.isEmpty() ? Map.of() : examples.getFirst().inputs();
		long elements = inputs.values().stream().mapToLong((tensor) -> tensor.shape().elements()).sum();
		if (elements == 0 || elements > MAX_EXAMPLE_SIZE) {
			return Map.of();
		}
		String example = InferenceRequest.toJson(inputs);
		// Browsers read the example, too, and their JSON has no NaN and no infinities.
		boolean isStrict = example != null && !example.contains("NaN") && !example.contains("Infinity");
		return isStrict ? Map.of("example", example) : Map.of();
	}

	private static Object object(Object... namesAndValues) {
		Map<Object, Object> object = new LinkedHashMap<>();
		for (int i = 0; i < namesAndValues.length; i += 2) {
			object.put(namesAndValues[i], namesAndValues[i + 1]);
		}
		return object;
	}

}
