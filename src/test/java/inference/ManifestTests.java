package inference;

import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds the manifests for other platforms, and the variants for EAS, against
 * {@code service.json}: what it says must be the same everywhere.
 */
class ManifestTests {

	private static final Path OPS = Path.of("src/ops");

	private static final String LABEL = "app.kubernetes.io~1name";

	private final JsonNode service = JsonMapper.shared().readTree(Path.of("service.json"));

	private final JsonNode container = this.service.at("/containers/0");

	/**
	 * Where each platform keeps what is the same for all.
	 */
	enum Platform {

		KUBERNETES("kubernetes.yaml", "/spec/template/spec", "/spec/strategy", "/spec/template/metadata"),

		KSERVE("kserve.yaml", "/spec/predictor", "/spec/predictor/deploymentStrategy", "/metadata");

		private final String file;

		private final String pod;

		private final String strategy;

		private final String metadata;

		Platform(String file, String pod, String strategy, String metadata) {
			this.file = file;
			this.pod = pod;
			this.strategy = strategy;
			this.metadata = metadata;
		}

		/** What to do if the platform and service.json differ. */
		String remedy() {
			return "src/ops/%s must say what service.json says: change it, too, or delete it and %s here"
				.formatted(this.file, this);
		}

		JsonNode manifest() {
			return YamlFile.documents(OPS.resolve(this.file)).getFirst();
		}

		JsonNode pod() {
			return manifest().at(this.pod);
		}

		JsonNode container() {
			return pod().at("/containers/0");
		}

	}

	@ParameterizedTest
	@EnumSource
	void everyPlatformRunsTheSameCommand(Platform platform) {
		JsonNode other = platform.container();
		assertThat(platform.pod().path("containers")).hasSize(1);
		assertThat(String.join(" ", texts(other.path("command")))).as(platform.remedy())
			.isEqualTo(this.container.path("command").asString());
		assertThat(other.path("env")).as(platform.remedy()).isEqualTo(this.container.path("env"));
		assertThat(other.path("ports").findValues("containerPort")).as(platform.remedy())
			.containsExactly(this.container.path("port"));
	}

	@ParameterizedTest
	@EnumSource
	void everyPlatformAsksTheSameProbesAtTheSameTimes(Platform platform) {
		Map.of("startupProbe", "startup_check", "livenessProbe", "liveness_check", "readinessProbe", "health_check")
			.forEach((probe, check) -> assertThat(inWordsOfEas(platform.container().path(probe)))
				.as("%s: %s", probe, platform.remedy())
				.isEqualTo(this.container.path(check)));
	}

	@ParameterizedTest
	@EnumSource
	void everyPlatformUpdatesAndEndsInTheSameWay(Platform platform) {
		assertThat(platform.pod().path("terminationGracePeriodSeconds")).as(platform.remedy())
			.isEqualTo(this.service.at("/metadata/eas.termination_grace_period"));
		assertThat(inWordsOfEas(platform.manifest().at(platform.strategy + "/rollingUpdate"))).as(platform.remedy())
			.isEqualTo(this.service.at("/metadata/rolling_strategy"));
	}

	@ParameterizedTest
	@EnumSource
	void everyPlatformConfinesTheContainer(Platform platform) {
		JsonNode pod = platform.pod();
		assertThat(pod.path("automountServiceAccountToken").asBoolean(true)).isFalse();
		assertThat(pod.path("securityContext")).isEqualTo(json("""
				{"runAsNonRoot": true, "runAsUser": 10001, "runAsGroup": 10001,
				 "seccompProfile": {"type": "RuntimeDefault"}}"""));
		assertThat(platform.container().path("securityContext")).isEqualTo(json("""
				{"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true,
				 "capabilities": {"drop": ["ALL"]}}"""));
		assertThat(platform.container().path("volumeMounts").findValuesAsString("mountPath")).containsExactly("/tmp");
		assertThat(pod.at("/volumes/0/emptyDir/sizeLimit").asString()).as("or /tmp fills the node").isNotEmpty();
		JsonNode resources = platform.container().path("resources");
		assertThat(resources.path("limits")).as("the JVM counts on what it is limited to")
			.isEqualTo(resources.path("requests"))
			.isNotEmpty();
	}

	@ParameterizedTest
	@EnumSource
	void everyPlatformIsToldWhereTheMetricsAre(Platform platform) {
		assertThat(platform.manifest().at(platform.metadata + "/annotations/prometheus.io~1port").asInt())
			.as(platform.remedy())
			.isEqualTo(this.container.path("port").asInt());
		Server.shared()
			.request()
			.get(platform.manifest().at(platform.metadata + "/annotations/prometheus.io~1path").asString())
			.then()
			.statusCode(200);
	}

	@Test
	void kserveContainerDiffersOnlyInWhatKServeNeeds() {
		ObjectNode kserve = (ObjectNode) Platform.KSERVE.container().deepCopy();
		assertThat(kserve.remove("name").asString()).isEqualTo("kserve-container");
		String model = Platform.KSERVE.manifest().at("/metadata/name").asString();
		assertThat(texts(kserve.remove("args"))).containsExactly("--inference.model.name=" + model);
		ObjectNode kubernetes = (ObjectNode) Platform.KUBERNETES.container().deepCopy();
		kubernetes.remove("name");
		assertThat(kserve).isEqualTo(kubernetes);
	}

	@Test
	void resourcesSelectTheDeployment() {
		List<JsonNode> manifests = YamlFile.documents(OPS.resolve("kubernetes.yaml"));
		assertThat(manifests).extracting((manifest) -> manifest.path("kind").asString())
			.containsExactly("Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget");
		JsonNode deployment = manifests.getFirst();
		JsonNode label = deployment.at("/spec/template/metadata/labels/" + LABEL);
		assertThat(label.asString()).isNotEmpty();
		assertThat(deployment.at("/spec/selector/matchLabels/" + LABEL)).isEqualTo(label);
		assertThat(deployment.at("/spec/template/spec/topologySpreadConstraints").findValues("matchLabels")).hasSize(2)
			.allMatch((labels) -> labels.at("/" + LABEL).equals(label));
		assertThat(manifests.get(1).at("/spec/selector/" + LABEL)).isEqualTo(label);
		assertThat(manifests.get(3).at("/spec/selector/matchLabels/" + LABEL)).isEqualTo(label);
		assertThat(manifests.get(1).at("/spec/ports/0/targetPort"))
			.isEqualTo(Platform.KUBERNETES.container().at("/ports/0/name"));
		assertThat(manifests.get(2).at("/spec/scaleTargetRef/name")).isEqualTo(deployment.at("/metadata/name"));
	}

	@Test
	void everyAutoscalerKeepsTheSameNumberOfInstances() {
		JsonNode autoscaler = YamlFile.documents(OPS.resolve("kubernetes.yaml")).get(2);
		JsonNode instances = autoscaler.at("/spec/minReplicas");
		assertThat(instances.asInt()).isPositive();
		assertThat(Platform.KSERVE.pod().path("minReplicas")).as("src/ops/kserve.yaml").isEqualTo(instances);
		assertThat(eas("eas-autoscaling.json").at("/autoscaler/min")).as("src/ops/eas-autoscaling.json")
			.isEqualTo(instances);
		assertThat(Platform.KUBERNETES.manifest().path("spec").has("replicas"))
			.as("it would undo the autoscaler's work")
			.isFalse();
	}

	@Test
	void theAutoscalerAsksForAMetricThatIsExposed() {
		JsonNode autoscaler = YamlFile.documents(OPS.resolve("kubernetes.yaml")).get(2);
		assertThat(Server.shared().request().get("/actuator/prometheus").asString())
			.contains("\n%s ".formatted(autoscaler.at("/spec/metrics/0/pods/metric/name").asString()));
	}

	@ParameterizedTest
	@CsvSource({ "eas-autoscaling.json, autoscaler", "eas-model-on-oss.json, storage" })
	void aVariantForEasAddsOneThingAndChangesNothing(String file, String addition) {
		ObjectNode variant = (ObjectNode) eas(file);
		assertThat(variant.remove(addition)).isNotEmpty();
		ArrayNode variables = (ArrayNode) variant.at("/containers/0/env");
		while (variables.size() > this.container.path("env").size()) {
			variables.remove(variables.size() - 1);
		}
		assertThat(withoutWhatIsFree(variant))
			.as("src/ops/%s must say what service.json says: change it, too, or delete it and its line here", file)
			.isEqualTo(withoutWhatIsFree(this.service));
	}

	@Test
	void theModelIsLookedForWhereItIsMounted() {
		JsonNode variant = eas("eas-model-on-oss.json");
		assertThat(variant.at("/containers/0/env")).last()
			.isEqualTo(JsonMapper.shared()
				.valueToTree(Map.of("name", "INFERENCE_MODEL_LOCATION", "value",
						variant.at("/storage/0/mount_path").asString())));
	}

	// A service may have its own name, workspace, number of instances, machines and
	// image.
	private static JsonNode withoutWhatIsFree(JsonNode service) {
		JsonNode rest = service.deepCopy();
		((ObjectNode) rest.path("metadata")).remove(List.of("name", "workspace_id", "instance"));
		((ObjectNode) rest).remove("cloud");
		((ObjectNode) rest.at("/containers/0")).remove("image");
		return rest;
	}

	private static JsonNode eas(String file) {
		return JsonMapper.shared().readTree(OPS.resolve(file));
	}

	private static JsonNode json(String text) {
		return JsonMapper.shared().readTree(text);
	}

	private static List<String> texts(JsonNode array) {
		return array.valueStream().map(JsonNode::asString).toList();
	}

	// Kubernetes writes names as failureThreshold, and EAS as failure_threshold.
	private static JsonNode inWordsOfEas(JsonNode kubernetes) {
		ObjectNode eas = JsonMapper.shared().createObjectNode();
		kubernetes.propertyStream()
			.forEach((member) -> eas.set(member.getKey().replaceAll("(?=[A-Z])", "_").toLowerCase(Locale.ROOT),
					member.getValue().isObject() ? inWordsOfEas(member.getValue()) : member.getValue()));
		return eas;
	}

}
