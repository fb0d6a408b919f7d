package inference.image;

import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What service.json asks of the platform, every timing field of it required.
 */
record Service(List<String> command, int port, Map<String, String> environment, Duration gracePeriod, Check startup,
		Check liveness, Check readiness) {

	static Service read() {
		JsonNode service = JsonMapper.shared().readTree(Path.of("service.json"));
		JsonNode container = service.required("containers").required(0);
		Map<String, String> environment = new LinkedHashMap<>();
		container.required("env")
			.forEach((variable) -> environment.put(variable.required("name").stringValue(),
					variable.required("value").stringValue()));
		return new Service(List.of(container.required("command").stringValue().split(" ")),
				container.required("port").intValue(), environment,
				seconds(service.required("metadata"), "eas.termination_grace_period"),
				Check.of(container.required("startup_check")), Check.of(container.required("liveness_check")),
				Check.of(container.required("health_check")));
	}

	Service withCommand(List<String> command) {
		return new Service(command, this.port, this.environment, this.gracePeriod, this.startup, this.liveness,
				this.readiness);
	}

	Service withStartup(Check check) {
		return new Service(this.command, this.port, this.environment, this.gracePeriod, check, this.liveness,
				this.readiness);
	}

	Service withLiveness(Check check) {
		return new Service(this.command, this.port, this.environment, this.gracePeriod, this.startup, check,
				this.readiness);
	}

	Service withReadiness(Check check) {
		return new Service(this.command, this.port, this.environment, this.gracePeriod, this.startup, this.liveness,
				check);
	}

	Service withGracePeriod(Duration period) {
		return new Service(this.command, this.port, this.environment, period, this.startup, this.liveness,
				this.readiness);
	}

	private static Duration seconds(JsonNode node, String name) {
		return Duration.ofSeconds(node.required(name).intValue());
	}

	/**
	 * When to ask, and how often the answer must be the same to count.
	 */
	record Check(Method method, Duration initialDelay, Duration period, Duration timeout, int successThreshold,
			int failureThreshold) {

		static Check of(JsonNode node) {
			return new Check(Method.of(node), seconds(node, "initial_delay_seconds"), seconds(node, "period_seconds"),
					seconds(node, "timeout_seconds"), node.required("success_threshold").intValue(),
					node.required("failure_threshold").intValue());
		}

		/** The same check, every second and from the first moment. */
		Check everySecond(int failures) {
			return new Check(this.method, Duration.ZERO, Duration.ofSeconds(1), this.timeout, 1, failures);
		}

	}

	/**
	 * How to ask.
	 */
	sealed interface Method {

		static Method of(JsonNode node) {
			if (node.has("http_get")) {
				JsonNode get = node.required("http_get");
				return new HttpGet(get.required("path").stringValue(), get.required("port").intValue());
			}
			if (node.has("tcp_socket")) {
				return new TcpSocket(node.required("tcp_socket").required("port").intValue());
			}
			return new Exec(node.required("exec")
				.required("command")
				.valueStream()
				.map(JsonNode::stringValue)
				.toArray(String[]::new));
		}

	}

	record HttpGet(String path, int port) implements Method {
	}

	record TcpSocket(int port) implements Method {
	}

	record Exec(List<String> command) implements Method {

		Exec(String... command) {
			this(List.of(command));
		}

	}

}
