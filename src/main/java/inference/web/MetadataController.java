package inference.web;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;
import org.springframework.http.HttpMethod;
import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.ModelAttribute;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.server.ResponseStatusException;

import inference.admission.Admission;
import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Protocol;
import inference.admission.Statistics.Stage;
import inference.codec.InferenceRequest;
import inference.codec.InvalidRequestException;
import inference.health.ProbeResults;
import inference.health.Probes;
import inference.model.DataType;
import inference.model.Example;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.web.ModelDescriptions.newObject;

/**
 * Describes the model and the server: under {@code /v1} in the form of TensorFlow Serving
 * and KServe v1, under {@code /v2} in that of the Open Inference Protocol and Triton.
 */
@RestController
class MetadataController {

	/** The label of the only version. The label is usual in TensorFlow Serving. */
	static final String VERSION_LABEL = "stable";

	// The metadata must stay small, because clients often ask for it.
	private static final long MAX_EXAMPLE_ELEMENTS = 10_000;

	private final ModelProperties modelProperties;

	private final Probes probes;

	private final Admission admission;

	private final Statistics statistics;

	private final String serverVersion;

	MetadataController(ModelProperties modelProperties, Probes probes, Admission admission, Statistics statistics,
			ObjectProvider<BuildProperties> buildProperties) {
		this.modelProperties = modelProperties;
		this.probes = probes;
		this.admission = admission;
		this.statistics = statistics;
		this.serverVersion = buildProperties.stream().map(BuildProperties::getVersion).findFirst().orElse("unknown");
	}

	/**
	 * Refuses paths that name another model, version or label than the served one. Every
	 * {@code POST} to such a path is a prediction, so its refusal is counted.
	 */
	@ModelAttribute
	void requireServed(HttpMethod method, @PathVariable(required = false) @Nullable String model,
			@PathVariable(required = false) @Nullable String version,
			@PathVariable(required = false) @Nullable String label) {
		try {
			if (model != null) {
				InvalidRequestException.requireServed(this.modelProperties, model, version);
			}
			if (label != null && !label.equals(VERSION_LABEL)) {
				throw new ResponseStatusException(HttpStatus.NOT_FOUND,
						"Model '%s' has no version labelled '%s', only '%s'.".formatted(model,
								InvalidRequestException.excerpt(label), VERSION_LABEL));
			}
		}
		catch (RuntimeException ex) {
			if (method.equals(HttpMethod.POST)) {
				this.statistics.record(Protocol.HTTP, Outcome.INVALID, 0);
			}
			throw ex;
		}
	}

	@GetMapping("/v1/models")
	Object models() {
		return Map.of("models", List.of(this.modelProperties.name()));
	}

	@GetMapping({ "/v1/models/{model:[^:]+}", "/v1/models/{model}/versions/{version:[^:]+}",
			"/v1/models/{model}/labels/{label:[^:]+}" })
	Object modelStatus() {
		ProbeResults results = this.probes.results();
		boolean ready = results.ready();
		JsonNode availability = newObject().put("error_code", ready ? "OK" : "UNAVAILABLE")
			.put("error_message", ready ? "" : results.reason());
		JsonNode versionStatus = newObject().put("version", this.modelProperties.version())
			.put("state", ready ? "AVAILABLE" : results.started() ? "UNLOADING" : "LOADING")
			.set("status", availability);
		return objectWithName().put("ready", ready).putPOJO("model_version_status", List.of(versionStatus));
	}

	@GetMapping({ "/v1/models/{model}/metadata", "/v1/models/{model}/versions/{version}/metadata",
			"/v1/models/{model}/labels/{label}/metadata" })
	Object tensorFlowMetadata() {
		return new ModelDescriptions(this.modelProperties, this.admission.metadata()).tensorFlowMetadata();
	}

	@GetMapping({ "/v2", "/v2/" })
	Object serverMetadata() {
		return newObject().put("name", "inference-server")
			.put("version", this.serverVersion)
			.putPOJO("extensions", List.of("binary_tensor_data", "model_configuration", "statistics"));
	}

	@GetMapping("/v2/health/live")
	ResponseEntity<Object> live() {
		ProbeResults results = this.probes.results();
		return probeAnswer(results, results.live(), newObject().put("live", results.live()));
	}

	@GetMapping("/v2/health/ready")
	ResponseEntity<Object> ready() {
		ProbeResults results = this.probes.results();
		return probeAnswer(results, results.ready(), newObject().put("live", results.live()));
	}

	@GetMapping({ "/v2/models/{model}/ready", "/v2/models/{model}/versions/{version}/ready" })
	ResponseEntity<Object> modelReady() {
		ProbeResults results = this.probes.results();
		return probeAnswer(results, results.ready(), objectWithName());
	}

	private static ResponseEntity<Object> probeAnswer(ProbeResults results, boolean passes, ObjectNode answer) {
		answer.put("ready", results.ready()).put("state", results.stateName()).put("reason", results.reason());
		return ResponseEntity.status(passes ? 200 : 503).body(answer);
	}

	@GetMapping({ "/v2/models/{model}", "/v2/models/{model}/versions/{version}" })
	Object oipMetadata() {
		ModelMetadata metadata = this.admission.metadata();
		return objectWithName().putPOJO("versions", List.of(this.modelProperties.version()))
			.put("platform", metadata.platform())
			.putPOJO("inputs", metadata.signature().inputs().stream().map(MetadataController::tensorMetadata).toList())
			.putPOJO("outputs",
					metadata.signature().outputs().stream().map(MetadataController::tensorMetadata).toList())
			.putPOJO("parameters", exampleParameter(metadata.examples()));
	}

	@GetMapping({ "/v2/models/{model}/config", "/v2/models/{model}/versions/{version}/config" })
	Object modelConfig() {
		return new ModelDescriptions(this.modelProperties, this.admission.metadata()).tritonConfig();
	}

	/** Lists the model; with {@code "ready":true} only if the model is ready. */
	@PostMapping("/v2/repository/index")
	Object repositoryIndex(InputStream body) throws IOException {
		ProbeResults results = this.probes.results();
		String bodyText = new String(body.readNBytes(1024), StandardCharsets.UTF_8);
		if (!bodyText.matches("\\s*|\\s*\\{\\s*(\"ready\"\\s*:\\s*(true|false)\\s*)?}\\s*")) {
			throw new InvalidRequestException("The body must be {\"ready\":true}, {\"ready\":false} or empty.");
		}
		boolean isHidden = bodyText.contains("true") && !results.ready();
		return isHidden ? List.of()
				: List.of(objectWithName().put("version", this.modelProperties.version())
					.put("state", results.ready() ? "READY" : "UNAVAILABLE")
					.put("reason", results.ready() ? "" : results.reason()));
	}

	@GetMapping({ "/v2/models/stats", "/v2/models/{model}/stats", "/v2/models/{model}/versions/{version}/stats" })
	Object statistics() {
		JsonNode modelStatistics = objectWithName().put("version", this.modelProperties.version())
			.put("last_inference", this.statistics.lastRunEpochMillis())
			.put("inference_count", this.statistics.totalRows())
			.put("execution_count", this.statistics.stageTimer(Stage.RUN).count())
			.set("inference_stats", ModelDescriptions.tritonDurations(this.statistics))
			.putPOJO("batch_stats", List.of());
		return Map.of("model_stats", List.of(modelStatistics));
	}

	/**
	 * A prediction for another model, version or label, which {@link #requireServed}
	 * refuses. {@link PredictionServlet} has the paths of the served model.
	 */
	@PostMapping({ "/v1/models/{model}:predict", "/v1/models/{model}/versions/{version}:predict",
			"/v1/models/{model}/labels/{label}:predict", "/v2/models/{model}/infer",
			"/v2/models/{model}/versions/{version}/infer" })
	void predictionForOtherModel() {
	}

	private ObjectNode objectWithName() {
		return newObject().put("name", this.modelProperties.name());
	}

	private static ObjectNode tensorMetadata(TensorSpec spec) {
		ObjectNode tensor = newObject().put("name", spec.name())
			.put("datatype", spec.dataType().name())
			.putPOJO("shape", spec.shape().dimensions());
		return spec.keys().isEmpty() ? tensor : tensor.set("parameters", newObject().putPOJO("keys", spec.keys()));
	}

	// Returns the first golden example as a request's body, with which the console fills
	// its form. The body is a string because a parameter cannot be an object.
	private static Map<String, String> exampleParameter(List<Example> examples) {
		Map<String, Tensor> inputs = examples.isEmpty() ? Map.of() : examples.getFirst().inputs();
		long elementCount = inputs.values().stream().mapToLong((tensor) -> tensor.shape().elementCount()).sum();
		if (elementCount == 0 || elementCount > MAX_EXAMPLE_ELEMENTS) {
			return Map.of();
		}
		String example = InferenceRequest.toJson(inputs);
		boolean isStrictJson = example != null && inputs.values().stream().allMatch(MetadataController::isFinite);
		return isStrictJson ? Map.of("example", example) : Map.of();
	}

	// JavaScript's JSON, which the console uses, has no NaN and no infinities.
	private static boolean isFinite(Tensor tensor) {
		DataType dataType = tensor.dataType();
		ByteBuffer contents = tensor.contents();
		return dataType == DataType.BYTES || IntStream.range(0, (int) tensor.shape().elementCount())
			.allMatch((index) -> Double.isFinite(dataType.get(contents, index * dataType.width()).doubleValue()));
	}

}
