package inference;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.convert.DurationStyle;
import org.springframework.core.env.ConfigurableEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds {@code service.json} against what EAS documents and against the running server. A
 * fork may change its values; what this forbids has a reason.
 */
class ServiceJsonTests {

	private static final List<String> CHECKS = List.of("startup_check", "liveness_check", "health_check");

	private static final Set<Integer> RESERVED_BY_EAS = Set.of(8080, 9090);

	private final JsonNode service = JsonMapper.shared().readTree(Path.of("service.json").toFile());

	private final JsonNode container = this.service.at("/containers/0");

	private final ConfigurableEnvironment environment = Server.shared().context().getEnvironment();

	@Test
	void hasExactlyTheThreeChecksUnderTheNamesEasKnows() {
		Set<String> checks = new HashSet<>(this.container.propertyNames());
		checks.removeIf((name) -> !name.endsWith("_check"));
		assertThat(checks).as("EAS ignores others, readiness_check for one")
			.containsExactlyInAnyOrderElementsOf(CHECKS);
	}

	@Test
	void sendsEverythingToThePortTheServerListensOn() {
		int port = this.container.path("port").asInt();
		String configured = this.environment.getPropertySources()
			.stream()
			.filter((source) -> source.getName().contains("application.yaml"))
			.map((source) -> source.getProperty("server.port"))
			.filter(Objects::nonNull)
			.findFirst()
			.map(String::valueOf)
			.orElseThrow();
		assertThat(port).hasToString(configured).isNotIn(RESERVED_BY_EAS);
		for (String check : CHECKS) {
			assertThat(this.container.at("/%s/http_get/port".formatted(check)).asInt()).as(check).isEqualTo(port);
		}
	}

	@ParameterizedTest
	@FieldSource("CHECKS")
	void statesEveryTiming(String check) {
		JsonNode timing = this.container.path(check);
		assertThat(timing.propertyNames()).as("the documented defaults contradict each other")
			.containsExactlyInAnyOrder("http_get", "initial_delay_seconds", "period_seconds", "timeout_seconds",
					"success_threshold", "failure_threshold");
		assertThat(timing.path("success_threshold").asInt()).as("Kubernetes allows no other for startup and liveness")
			.isOne();
		assertThat(timing.path("timeout_seconds").asInt()).as("a pause of a second is no failure")
			.isGreaterThanOrEqualTo(3);
		assertThat(timing.path("failure_threshold").asInt()).as("one lost packet is no failure")
			.isGreaterThanOrEqualTo(3);
		assertThat(timing.path("period_seconds").asInt()).isPositive();
	}

	@Test
	void grantsAModelThreeMinutesToLoad() {
		JsonNode startup = this.container.path("startup_check");
		assertThat(startup.path("period_seconds").asInt() * startup.path("failure_threshold").asInt())
			.isGreaterThanOrEqualTo(180);
	}

	@Test
	void leavesTimeToDrainAndToFinish() {
		JsonNode metadata = this.service.path("metadata");
		assertThat(metadata.at("/rpc/enable_sigterm").asBoolean()).as("without it EAS sends no SIGTERM").isTrue();
		Duration grace = Duration.ofSeconds(metadata.path("eas.termination_grace_period").asInt());
		Duration lastRequests = variable("SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE",
				this.environment.getRequiredProperty("spring.lifecycle.timeout-per-shutdown-phase"));
		assertThat(grace).as("metadata.eas.termination_grace_period, with 5 s in which Tomcat begins the last requests")
			.isGreaterThan(variable("INFERENCE_DRAIN_DELAY", "0s").plus(lastRequests).plusSeconds(5));
		Duration deadline = variable("INFERENCE_DEADLINE", this.environment.getProperty("inference.deadline", "4s"));
		assertThat(lastRequests).as("spring.lifecycle.timeout-per-shutdown-phase").isGreaterThan(deadline);
		assertThat(metadata.at("/rpc/keepalive").asLong())
			.as("metadata.rpc.keepalive: EAS ends a request that takes longer")
			.isGreaterThan(deadline.toMillis());
	}

	@Test
	void neverRunsFewerInstancesThanAskedForDuringAnUpdate() {
		JsonNode rolling = this.service.at("/metadata/rolling_strategy");
		assertThat(rolling.path("max_surge").asInt()).isPositive();
		assertThat(rolling.path("max_unavailable").asInt(-1)).isZero();
	}

	@Test
	void runsWithoutAShell() {
		assertThat(this.container.has("script")).isFalse();
		assertThat(this.container.path("command").asString()).isEqualTo("/opt/java/bin/java @/app/server.args");
	}

	@Test
	void givesEveryVariableAsAString() {
		for (JsonNode variable : this.container.path("env")) {
			assertThat(variable.path("name").isString()).isTrue();
			assertThat(variable.path("value").isString()).as(variable.toString()).isTrue();
		}
	}

	@Test
	void asksProbesThatTheServerAnswers() {
		assertThat(ask(Server.loading(), "startup_check")).isEqualTo(503);
		assertThat(ask(Server.loading(), "liveness_check")).isEqualTo(200);
		assertThat(ask(Server.loading(), "health_check")).isEqualTo(503);
		for (String check : CHECKS) {
			assertThat(ask(Server.shared(), check)).as(check).isEqualTo(200);
		}
	}

	private int ask(Server server, String check) {
		String path = this.container.at("/%s/http_get/path".formatted(check)).asString();
		return server.request().redirects().follow(false).get(path).statusCode();
	}

	private Duration variable(String name, String byDefault) {
		return DurationStyle.detectAndParse(this.container.path("env")
			.valueStream()
			.filter((variable) -> variable.path("name").asString().equals(name))
			.map((variable) -> variable.path("value").asString())
			.findFirst()
			.orElse(byDefault));
	}

}
