package inference.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import inference.image.Kubelet.Answer;
import inference.image.Kubelet.Kind;
import inference.image.Service.Exec;
import inference.image.Service.HttpGet;
import inference.image.Service.Method;
import inference.image.Service.TcpSocket;
import io.restassured.RestAssured;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.model.ModelClasses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;

/**
 * What the image promises to a platform that runs it from service.json.
 */
@EnabledIf("inference.image.Image#isBuilt")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Execution(ExecutionMode.CONCURRENT)
class ImageIT {

	private static final Duration START = Duration.ofMinutes(1);

	private static final Path CACHE = Path.of("target/image/app/app.aot");

	private static final Exec EXEC = new Exec("/opt/java/bin/java", "@/app/probe.args", "readiness");

	private final Service service = Service.read();

	private final Container container = Container.run(this.service);

	private final Kubelet kubelet = new Kubelet(this.container, this.service);

	@BeforeAll
	void becomeReady() {
		await().atMost(START).until(this.kubelet::ready);
	}

	@AfterAll
	void remove() {
		this.kubelet.close();
		this.container.close();
	}

	@Test
	void startsFromItsAotCache() {
		assertThat(get(this.container, "/actuator/info")).contains("\"aotCache\":{\"used\":true}");
		assertThat(get(this.container, "/actuator/prometheus")).contains("inference_aot_cache_used 1.0");
	}

	// At the start, the JVM copies objects of the cache into the heap's old generation.
	// These objects take some 6 % of the cache. The old generation is two thirds of the
	// heap.
	@Test
	void beginsWithAHeapThatHoldsTheObjectsOfItsAotCache() throws IOException {
		String flags = this.container
			.exec(START, "/opt/java/bin/java", "-XX:Flags=/app/server.flags", "-XX:+PrintFlagsFinal", "-version")
			.output();
		assertThat(flags).containsPattern("InitialHeapSize += [0-9]+ ");
		String initialHeapSize = flags.replaceAll("(?s).* InitialHeapSize += ([0-9]+) .*", "$1");
		assertThat(Long.parseLong(initialHeapSize) * 2 / 3).isGreaterThan(Files.size(CACHE) / 10);
	}

	@Test
	void writesMetricsAsProtobufWithoutAWarningOfJava() {
		RestAssured.given()
			.accept("application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,"
					+ "application/openmetrics-text;q=0.5")
			.get(this.container.uri(this.service.port(), "/actuator/prometheus"))
			.then()
			.statusCode(200)
			.contentType(containsString("protobuf"));
		assertThat(this.container.logs().lines()).allMatch((line) -> line.startsWith("{"));
	}

	@Test
	void copiesLessThanHalfOfItsAotCache() throws IOException {
		assumeThat(System.getProperty("user.name")).as("only root can read another user's mappings").isEqualTo("root");
		Path smapsFile = Path.of("/proc", this.container.inspect("{{.State.Pid}}"), "smaps");
		long mappedKilobytes = 0;
		long copiedKilobytes = 0;
		boolean isCacheMapping = false;
		for (String line : Files.readAllLines(smapsFile)) {
			String[] columns = line.split(" +", 3);
			if (!columns[0].endsWith(":")) {
				isCacheMapping = line.endsWith(" /app/app.aot");
			}
			else if (isCacheMapping && columns[0].equals("Size:")) {
				mappedKilobytes += Long.parseLong(columns[1]);
			}
			else if (isCacheMapping && columns[0].equals("Anonymous:")) {
				copiedKilobytes += Long.parseLong(columns[1]);
			}
		}
		assertThat(copiedKilobytes).isPositive().isLessThan(mappedKilobytes / 2);
	}

	@Test
	void knowsItsClassesFromWhereTheyAre() {
		assertThat(this.container.logs()).contains("(/app/server.jar started by");
	}

	@Test
	void saysInOneLineWhenItsAotCacheIsRefused(@TempDir Path directory) throws IOException {
		Path refused = Files.writeString(directory.resolve("app.aot"), "this is no cache");
		try (Container slower = Container.run(this.service, "--volume", refused + ":/app/app.aot:ro")) {
			await().atMost(START)
				.ignoreExceptions()
				.until(() -> get(slower, "/actuator/info").contains("\"aotCache\":{\"used\":false}"));
			assertThat(get(slower, "/actuator/prometheus")).contains("inference_aot_cache_used 0.0");
			assertThat(slower.logs().lines().map(JsonMapper.shared()::readTree)).allMatch(JsonNode::isObject)
				.filteredOn((line) -> message(line).startsWith("The JVM refused the AOT cache"))
				.hasSize(1);
		}
	}

	@Test
	void saysInOneLineThatAPropertyIsBad() {
		try (Container misconfigured = Container.run(this.service, "--env", "INFERENCE_DEADLINE=soon")) {
			await().atMost(START).until(() -> !misconfigured.running());
			assertThat(misconfigured.logs().lines().map(JsonMapper.shared()::readTree))
				.filteredOn((line) -> !line.at("/log/level").asString().equals("INFO"))
				.singleElement()
				.extracting(ImageIT::message)
				.asString()
				.contains("Property inference.deadline is 'soon'");
		}
	}

	@Test
	void logsTextWhenConfigured() {
		try (Container readable = Container.run(this.service, "--env", "LOGGING_STRUCTURED_FORMAT_CONSOLE=")) {
			await().atMost(START).until(() -> readable.logs().contains(" Serving model "));
			assertThat(readable.logs().lines()).allMatch((line) -> line.matches("\\d{4}-\\d\\d-\\d\\dT.*"))
				.filteredOn((line) -> line.contains(" Serving model "))
				.singleElement()
				.asString()
				.contains(" on 1 CPUs, ")
				.endsWith(" MB and 512 MB of memory, with an AOT cache");
		}
	}

	@Test
	void letsTheOperatorReplaceTheSettingsOfTheJvm() {
		try (Container other = Container.run(this.service, "--env",
				"JAVA_TOOL_OPTIONS=-XX:-UseSerialGC -XX:+UseG1GC -XX:MaxRAMPercentage=25")) {
			await().atMost(START).until(() -> other.logs().contains("Serving model "));
			assertThat(other.logs()).contains(" a heap of 128 MB ");
			assertThat(other.exec(START, "/opt/java/bin/java", "@/app/probe.args", "readiness").exitCode()).isZero();
		}
	}

	@Test
	void servesActuatorOnAPortOfItsOwn() {
		try (Container two = Container.run(this.service, "--env", "MANAGEMENT_SERVER_PORT=8002")) {
			await().atMost(START)
				.ignoreExceptions()
				.until(() -> RestAssured.get(two.uri(8002, "/actuator/info")).statusCode() == 200);
			assertThat(RestAssured.get(two.uri(this.service.port(), "/actuator/info")).statusCode()).isEqualTo(404);
		}
	}

	@Test
	void hasTheLocaleThatTextModelsAskFor() {
		String model = Path.of("src/test/resources/models/cases/tfidf.onnx").toAbsolutePath()
				+ ":/models/model.onnx:ro";
		try (Container texts = Container.run(this.service, "--volume", model, "--env",
				"INFERENCE_MODEL_LOCATION=/models")) {
			await().atMost(START)
				.ignoreExceptions()
				.until(() -> RestAssured.get(texts.uri(this.service.port(), "/readyz")).statusCode() == 200);
		}
	}

	@Test
	void saysWhatABaseLacks() throws Exception {
		ModelClasses.assumeAFileIsServed();
		// An empty file replaces the library, in place of a base without it.
		String empty = "/dev/null:/usr/lib/x86_64-linux-gnu/libstdc++.so.6:ro";
		try (Container broken = Container.run(this.service, "--volume", empty)) {
			await().atMost(START).until(() -> !broken.running());
			assertThat(broken.logs()).doesNotContain("\\tat ");
			assertThat(message(JsonMapper.shared().readTree(broken.logs().lines().toList().getLast())))
				.contains("ONNX Runtime cannot be loaded: ")
				.contains("libstdc++.so.6")
				.endsWith("build the image on another base with -Djib.from.image.");
		}
	}

	@Test
	void isReadyAndNeverRestarted() {
		await().atMost(START).until(() -> this.kubelet.history(Kind.LIVENESS).size() > 1);
		assertThat(this.kubelet.history(Kind.LIVENESS)).allMatch(Answer::passed);
		assertThat(this.kubelet.history(Kind.READINESS)).allMatch(Answer::passed);
		assertThat(this.kubelet.restarts()).isZero();
	}

	@Test
	void holdsNoEntryPointAndTheCommandOfTheService() {
		String image = Image.id();
		assertThat(Container.succeed("inspect", "--format", "{{json .Config.Cmd}}", image))
			.isEqualTo("[\"" + String.join("\",\"", this.service.command()) + "\"]");
		assertThat(Container.succeed("inspect", "--format",
				"{{.Config.Entrypoint}} {{.Config.User}} {{json .Config.ExposedPorts}} {{.Config.WorkingDir}}", image))
			.isEqualTo("[] 10001:10001 {\"" + this.service.port() + "/tcp\":{}} /tmp");
	}

	@Test
	void runsOneProcessAsANumericUser() {
		String server = "1 +10001 +10001 +" + String.join(" ", this.service.command());
		// An exec probe of another test may still run.
		await().atMost(START)
			.untilAsserted(() -> assertThat(this.container.processes("pid", "user", "group", "args")).singleElement()
				.asString()
				.matches(server));
	}

	@Test
	void writesToNothingButItsTemporaryDirectory() {
		// Podman itself writes the container's hosts and resolv.conf.
		assertThat(this.container.diff()).allMatch((change) -> change.matches("[AC] /(etc(/.*)?|run(/.*)?|tmp)"));
	}

	@Test
	void answersEachKindOfProbe() {
		List<Method> methods = List.of(this.service.readiness().method(), new TcpSocket(this.service.port()), EXEC);
		assertThat(methods).map(this::ask).allMatch(Answer::passed);
	}

	@Test
	void doesNotPassAProbeOfSomethingElse() {
		List<Method> methods = List.of(new HttpGet("/nothing/here", this.service.port()), new TcpSocket(8001),
				new Exec("/opt/java/bin/java", "@/app/probe.args", "nothing"));
		assertThat(methods).map(this::ask).noneMatch(Answer::passed);
	}

	@Test
	void endsInTheGracePeriodOnceTerminated() {
		try (Container terminated = Container.run(this.service);
				Kubelet observer = new Kubelet(terminated, this.service)) {
			await().atMost(START).until(observer::ready);
			assertThat(observer.terminate()).as("exit code").isIn(0, 143);
		}
	}

	@Test
	void isRestartedWhenItHangs() {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withLiveness(this.service.liveness().everySecond(3));
		try (Container hung = Container.run(hasty); Kubelet observer = new Kubelet(hung, hasty)) {
			await().atMost(START).until(observer::ready);
			hung.signal("STOP");
			await().atMost(START).until(() -> observer.restarts() == 1);
			await().atMost(START).until(observer::ready);
		}
	}

	private static String message(JsonNode line) {
		return line.path("message").asString();
	}

	private String get(Container container, String path) {
		return RestAssured.get(container.uri(this.service.port(), path)).asString();
	}

	private Answer ask(Method method) {
		return Kubelet.ask(this.container, Kind.READINESS, method, this.service.readiness().timeout());
	}

}
