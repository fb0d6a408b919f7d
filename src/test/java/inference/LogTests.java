package inference;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.logging.LoggingSystem;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the log says, as text and in the image's form: one JSON object per line.
 */
@ExtendWith(OutputCaptureExtension.class)
class LogTests {

	private static final Logger logger = LoggerFactory.getLogger(LogTests.class);

	private static final String GOOD = "{\"instances\":[[1,2]]}";

	private static final String BREAKS = "{\"instances\":[[500,2]]}";

	private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

	private static final String SPAN = "00f067aa0ba902b7";

	private static Server server;

	@BeforeAll
	static void start() {
		forgetTheForm();
		server = Server.ready(TestModel::new, "logging.structured.format.console=ecs", "spring.application.name=fraud",
				"inference.model.version=9");
	}

	@AfterAll
	static void stop() {
		server.close();
		forgetTheForm();
	}

	// Spring Boot keeps the form in a system property. It does not set up logging again
	// while a server is running, such as the shared one.
	private static void forgetTheForm() {
		System.clearProperty("CONSOLE_LOG_STRUCTURED_FORMAT");
		LoggingSystem.get(LogTests.class.getClassLoader()).cleanUp();
	}

	@Test
	void everyLineIsAJsonObjectEvenThatOfAFailure(CapturedOutput output) {
		server.request().body(BREAKS).post("/").then().statusCode(500);
		assertThat(lines(output)).hasSizeGreaterThan(3).allSatisfy((line) -> {
			assertThat(line.path("@timestamp").asString()).isNotEmpty();
			assertThat(line.at("/log/level").asString()).isNotEmpty();
			assertThat(line.path("message").asString()).isNotEmpty();
			assertThat(line.at("/service/name").asString()).isEqualTo("fraud");
		});
		assertThat(failure(output).at("/error/stack_trace").asString()).contains("the model broke on 500", "\tat ");
	}

	@Test
	void aFailureIsLoggedUnderTheIdsThatItsClientGave(CapturedOutput output) {
		server.request()
			.header("X-Request-Id", "order-17")
			.header("traceparent", "00-%s-%s-01".formatted(TRACE, SPAN))
			.header("Authorization", "SECRET")
			.body(BREAKS)
			.post("/")
			.then()
			.header("X-Request-Id", "order-17");
		JsonNode line = failure(output);
		assertThat(line.at("/http/request/id").asString()).isEqualTo("order-17");
		assertThat(line.at("/trace/id").asString()).isEqualTo(TRACE);
		assertThat(line.at("/span/id").asString()).isEqualTo(SPAN);
		assertThat(output).doesNotContain("SECRET", "instances");
	}

	@Test
	void theOpenInferenceProtocolsIdCountsWhereThereIsNoHeader(CapturedOutput output) {
		String body = "{\"id\":\"%s\",\"inputs\":[{\"name\":\"x\",\"shape\":[1,2],\"datatype\":\"FP32\",\"data\":[%d,2]}]}";
		server.request().body(body.formatted("seven", 1)).post("/").then().header("X-Request-Id", "seven");
		server.request()
			.header("X-Request-Id", "eight")
			.body(body.formatted("seven", 1))
			.post("/")
			.then()
			.header("X-Request-Id", "eight");
		server.request().body(body.formatted("nine\\n{\\\"a\\\":\\u00e4}", 500)).post("/").then().statusCode(500);
		assertThat(failure(output).at("/http/request/id").asString()).isEqualTo("nine_{\"a\":_}");
	}

	@Test
	void aFailureWithoutAnIdIsGivenOne(CapturedOutput output) {
		String id = server.request().body(BREAKS).post("/").header("X-Request-Id");
		assertThat(id).matches("[!-~]{5,50}");
		assertThat(failure(output).at("/http/request/id").asString()).isEqualTo(id);
		assertThat(server.request().body("no JSON").post("/").header("X-Request-Id")).isNotEmpty().isNotEqualTo(id);
		assertThat(server.request().get("/nothing/here").header("X-Request-Id")).isNotEmpty();
		assertThat(server.request().get("/v1/nothing/here").header("X-Request-Id")).isNotEmpty();
	}

	@Test
	void everyAnswerRepeatsTheIdOfItsRequest() {
		for (String path : List.of("/", "/v2", "/livez", "/actuator/info")) {
			assertThat(server.request().header("X-Request-Id", "seven").get(path).header("X-Request-Id"))
				.isEqualTo("seven");
		}
	}

	@Test
	void truncatesALongId() {
		server.request()
			.header("X-Request-Id", "x".repeat(5000))
			.body(GOOD)
			.post("/")
			.then()
			.header("X-Request-Id", "x".repeat(100));
	}

	@Test
	void aTraceParentThatIsNoneIsNotLogged(CapturedOutput output) {
		for (String bad : List.of("", "00-" + "0".repeat(32) + "-" + SPAN + "-01", "ff-" + TRACE + "-" + SPAN + "-01",
				"00-" + TRACE + "-" + SPAN, "nonsense")) {
			server.request().header("traceparent", bad).body(BREAKS).post("/").then().statusCode(500);
		}
		assertThat(lines(output)).noneMatch((line) -> line.has("trace") || line.has("span"))
			.filteredOn(LogTests::isFailure)
			.hasSize(5);
	}

	@Test
	void aRequestThatSucceedsCausesNoLine(CapturedOutput output) {
		server.request().body(GOOD).post("/").then().statusCode(200);
		assertThat(server.request().body(GOOD).post("/").headers().hasHeaderWithName("X-Request-Id")).isFalse();
		server.request().header("X-Request-Id", "a").body(GOOD).post("/").then().header("X-Request-Id", "a");
		assertThat(lines(output)).noneMatch((line) -> line.has("http"));
	}

	@Test
	void logsOfAModelCarryTheIdsOfItsRequest(CapturedOutput output) {
		server.swap(new TestModel() {
			@Override
			public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
				logger.info("The model speaks");
				return super.infer(inputs);
			}
		});
		server.request().header("X-Request-Id", "a").body(GOOD).post("/api/predict/some_service");
		server.request().header("X-Request-Id", "b").body(GOOD).post("/v1/models/m:predict");
		server.swap(new TestModel());
		assertThat(lines(output)).allSatisfy((line) -> assertThat(!line.has("http") || isOfARequest(line)).isTrue())
			.filteredOn((line) -> line.path("message").asString().equals("The model speaks"))
			.map((line) -> line.at("/http/request/id").asString())
			.containsExactly("a", "b");
	}

	@Test
	void logsOneLineAboutTheModelAndItsConfiguration(CapturedOutput output) {
		assertThat(lines(output).stream()
			.map((line) -> line.path("message").asString())
			.filter((message) -> message.startsWith("Serving "))).singleElement()
			.asString()
			.contains("Serving model m version 9 (java_class) with 1 inputs and 2 outputs on ")
			.containsPattern(" \\d+ CPUs, a heap of \\d+ MB and \\d+ MB of memory, without an AOT cache$");
	}

	private static List<JsonNode> lines(CapturedOutput output) {
		return output.getOut().lines().map(JsonMapper.shared()::readTree).toList();
	}

	private static JsonNode failure(CapturedOutput output) {
		return lines(output).stream().filter(LogTests::isFailure).reduce((_, _) -> {
			throw new AssertionError("it failed more than once");
		}).orElseThrow();
	}

	private static boolean isFailure(JsonNode line) {
		return line.path("message").asString().equals("A prediction failed");
	}

	private static boolean isOfARequest(JsonNode line) {
		return line.at("/process/thread/name").asString().matches("(request|model)-[0-9]+");
	}

	/** These tests run after the others, because the form of the log is the process's. */
	@Nested
	class AsText {

		@Test
		void bearsTheIdsToo(CapturedOutput output) {
			forgetTheForm();
			try (Server readable = Server.ready(TestModel::new, "logging.structured.format.console=")) {
				readable.request().header("X-Request-Id", "order-17").body(BREAKS).post("/");
				readable.request()
					.header("X-Request-Id", "order-18")
					.header("traceparent", "00-%s-%s-01".formatted(TRACE, SPAN))
					.body(BREAKS)
					.post("/");
			}
			assertThat(output.toString().lines().filter((line) -> line.contains("A prediction failed")))
				.satisfiesExactly((line) -> assertThat(line).contains("] [order-17] inference."),
						(line) -> assertThat(line).contains("] [order-18 " + TRACE + "] inference."));
			assertThat(output.toString().lines().filter((line) -> line.contains(" Model m "))).singleElement()
				.asString()
				.contains("[   model-loader] inference.");
		}

	}

}
