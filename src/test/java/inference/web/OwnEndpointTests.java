package inference.web;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.restassured.response.ValidatableResponse;
import jakarta.validation.Valid;
import jakarta.validation.constraints.NotBlank;
import jakarta.validation.constraints.PositiveOrZero;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.http.HttpStatus;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.bind.annotation.RestControllerAdvice;
import org.springframework.web.server.ResponseStatusException;

import inference.ErrorBody;
import inference.Server;
import inference.admission.Admission;
import inference.model.DeviceLostException;
import inference.model.FakeModel;
import inference.model.Gate;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.contains;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

/**
 * A controller of a fork that predicts through the same queue as all other requests.
 */
class OwnEndpointTests {

	private static Server server;

	private final FakeModel model = new FakeModel();

	private final Gate gate = new Gate();

	@BeforeAll
	static void start() {
		server = ready(new FakeModel());
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Test
	void predictsAndIsCounted() {
		server.swap(this.model);
		assertCounted(server, "/own", 200, "ok").body("$", contains(1.0, 2.0));
		this.model.behave((_) -> {
			throw new IllegalArgumentException("2 is too large");
		});
		assertCounted(server, "/own", 400, "invalid").body(ErrorBody.SENTENCE,
				equalTo("The model cannot use the input: 2 is too large."));
		this.model.behave((_) -> {
			throw new IllegalStateException("broken");
		});
		assertCounted(server, "/own", 500, "failed").body(ErrorBody.SENTENCE, containsString("The model failed."));
	}

	@Test
	void isRefusedWhileTheModelDoesNotServe() {
		try (Server lost = ready(this.model)) {
			this.model.behave((_) -> {
				throw new DeviceLostException("CUDA error 700", new IllegalStateException());
			});
			post(lost, "/own", 500);
			assertCounted(lost, "/own", 503, "not_ready").header("Retry-After", "2")
				.body(ErrorBody.SENTENCE, containsString("Not ready"));
		}
	}

	@Test
	void isRefusedIfItsTensorsDoNotFitTheInputs() {
		server.swap(this.model);
		assertCounted(server, "/unfit", 400, "invalid").body(ErrorBody.SENTENCE,
				equalTo("The model takes [x FP32 [-1]], not {x=INT64 [1]}."));
	}

	@Test
	void hidesTheReasonOfItsOwnFailure() {
		post(server, "/broken", 500).body(ErrorBody.SENTENCE,
				equalTo("The server failed. The server's log has the reason, with this answer's X-Request-Id."));
	}

	@Test
	void saysWhichContentTypeItDoesNotSupport() {
		server.request()
			.contentType("application/octet-stream")
			.body(new byte[] { 1 })
			.post("/own")
			.then()
			.statusCode(415)
			.body(ErrorBody.SENTENCE, startsWith("Content-Type 'application/octet-stream"));
	}

	@Test
	void answersAStatusWithoutAReasonWithThatStatusesSentence() {
		post(server, "/missing", 404).body(ErrorBody.SENTENCE, equalTo("Not Found."));
	}

	@Test
	void answersWithItsOwnExceptionHandlers() {
		post(server, "/handled", 422).body(equalTo("The score is below 0."));
		post(server, "/advised", 423).body(equalTo("The score is locked."));
	}

	@Test
	void answersWithTheStatusesOfItsExceptions() {
		post(server, "/annotated", 409).body(ErrorBody.SENTENCE, equalTo("The score exists."));
		post(server, "/plain", 400).body(ErrorBody.SENTENCE, equalTo("Bad Request."));
	}

	@Test
	void saysWhichParameterIsNotValid() {
		server.request()
			.get("/numbers/abc")
			.then()
			.statusCode(400)
			.body(ErrorBody.SENTENCE, equalTo("The value of 'number' is not valid: abc."));
	}

	@Test
	void saysWhichConstraintAValueViolates() {
		server.request()
			.contentType("application/json")
			.body("{\"name\":\"\",\"age\":-1}")
			.post("/people")
			.then()
			.statusCode(400)
			.body(ErrorBody.SENTENCE, startsWith("The request is not valid: "))
			.body(ErrorBody.SENTENCE, containsString("age: must be greater than or equal to 0"))
			.body(ErrorBody.SENTENCE, containsString("name: must not be blank"));
		server.request()
			.get("/ages/-1")
			.then()
			.statusCode(400)
			.body(ErrorBody.SENTENCE, equalTo("The request is not valid: age: must be greater than or equal to 0."));
	}

	@ParameterizedTest
	@ValueSource(strings = { "text/csv", "application/json", "*/*" })
	void answersWithItsOwnMediaType(String accept) {
		server.request().accept(accept).get("/table").then().statusCode(200).contentType("text/csv");
	}

	@Test
	void runsItsCallableOnAThreadOfSpringBootsExecutor() {
		server.request().get("/thread").then().statusCode(200).body(startsWith("task-"));
	}

	@Test
	void readsABodyAfterItsMethodHasReturned() {
		try (Server uploads = uploads()) {
			CompletableFuture<ValidatableResponse> answer = CompletableFuture
				.supplyAsync(() -> uploads.request().body(new byte[300_000]).post("/upload").then());
			this.gate.awaitArrivals(1);
			// The request has given back its permit, so its thread has returned.
			await().until(uploads.context().getBean(RequestExecutor.class)::isIdle);
			this.gate.open();
			answer.join().statusCode(201).body(equalTo("300000"));
		}
	}

	@Test
	void hasNoPermitWhileItsClientSends() throws Exception {
		this.gate.open();
		try (Server uploads = uploads(); Socket client = new Socket("localhost", uploads.port())) {
			OutputStream stream = client.getOutputStream();
			stream.write("POST /length HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: 2\r\n\r\n1"
				.getBytes(StandardCharsets.US_ASCII));
			this.gate.awaitArrivals(1);
			await().until(uploads.context().getBean(RequestExecutor.class)::isIdle);
			stream.write('2');
			assertThat(client.getInputStream().readAllBytes()).endsWith('2');
		}
	}

	@Test
	void readsFormsInUtf8() throws Exception {
		// REST Assured would add a charset.
		HttpRequest form = HttpRequest.newBuilder(URI.create("http://localhost:%d/name".formatted(server.port())))
			.header("Content-Type", "application/x-www-form-urlencoded")
			.POST(BodyPublishers.ofString("name=J%C3%BCrgen"))
			.build();
		try (HttpClient client = HttpClient.newHttpClient()) {
			assertThat(client.send(form, BodyHandlers.ofString()).body()).isEqualTo("Jürgen");
		}
	}

	@Test
	void refusesAFormWithoutABoundary() {
		try (Server forms = Server.ready(() -> this.model, (context) -> context.registerBean(ScoreController.class),
				"spring.servlet.multipart.enabled=true")) {
			forms.request()
				.header("Content-Type", "multipart/form-data")
				.body(new byte[] { 1 })
				.post("/missing")
				.then()
				.statusCode(400)
				.body(ErrorBody.SENTENCE, equalTo("The form cannot be read: check its boundary and its parts."));
		}
	}

	private Server uploads() {
		return Server.ready(() -> this.model,
				(context) -> context.registerBean(UploadController.class, UploadController::new));
	}

	private static Server ready(FakeModel model) {
		return Server.ready(() -> model, (context) -> {
			context.registerBean(ScoreController.class);
			context.registerBean(ScoreAdvice.class);
		});
	}

	private static ValidatableResponse assertCounted(Server server, String path, int status, String outcome) {
		Timer timer = server.context()
			.getBean(MeterRegistry.class)
			.get("inference.requests")
			.tags("outcome", outcome, "protocol", "http")
			.timer();
		long before = timer.count();
		ValidatableResponse answer = post(server, path, status);
		assertThat(timer.count()).isEqualTo(before + 1);
		return answer;
	}

	private static ValidatableResponse post(Server server, String path, int status) {
		return server.request().contentType("application/json").body("[1,2]").post(path).then().statusCode(status);
	}

	@RestController
	static class ScoreController {

		private final Admission admission;

		ScoreController(Admission admission) {
			this.admission = admission;
		}

		@PostMapping("/unfit")
		void predict() {
			this.admission.predict(Map.of("x", Tensor.ofLongs(Shape.of(1), 1)));
		}

		@PostMapping("/broken")
		float broken(@RequestBody float[] values) {
			return values[values.length];
		}

		@PostMapping("/missing")
		void missing() {
			throw new ResponseStatusException(HttpStatus.NOT_FOUND);
		}

		@PostMapping("/handled")
		void handled() {
			throw new ArithmeticException("The score is below 0.");
		}

		@ExceptionHandler
		ResponseEntity<String> answer(ArithmeticException failure) {
			return ResponseEntity.unprocessableContent().body(failure.getMessage());
		}

		@PostMapping("/advised")
		void advised() {
			throw new UnsupportedOperationException();
		}

		@PostMapping("/annotated")
		void annotated() {
			throw new ScoreExistsException();
		}

		@PostMapping("/plain")
		void plain() {
			throw new BadScoreException();
		}

		@GetMapping("/numbers/{number}")
		int number(@PathVariable int number) {
			return number;
		}

		@PostMapping("/people")
		void add(@Valid @RequestBody Person person) {
		}

		@GetMapping("/ages/{age}")
		int age(@PathVariable @PositiveOrZero int age) {
			return age;
		}

		@PostMapping(path = "/name", produces = "text/plain;charset=UTF-8")
		String name(@RequestParam String name) {
			return name;
		}

		@GetMapping("/thread")
		Callable<String> thread() {
			return () -> Thread.currentThread().getName();
		}

		@GetMapping(path = "/table", produces = "text/csv")
		String table() {
			return "a,b";
		}

		@PostMapping("/own")
		float[] score(@RequestBody float[] values) {
			return Objects.requireNonNull(this.admission.predict(FakeModel.question(values)).get("y")).floats();
		}

	}

	record Person(@NotBlank String name, @PositiveOrZero int age) {
	}

	// This class is not static, so that other tests do not find it by a scan.
	@RestController
	class UploadController {

		@PostMapping("/length")
		int length(InputStream body) throws IOException {
			int first = body.read();
			OwnEndpointTests.this.gate.pass();
			return (first < 0) ? 0 : 1 + body.readAllBytes().length;
		}

		@PostMapping("/upload")
		Callable<ResponseEntity<Integer>> upload(InputStream body) {
			return () -> {
				OwnEndpointTests.this.gate.pass();
				return ResponseEntity.status(HttpStatus.CREATED).body(body.readAllBytes().length);
			};
		}

	}

	@RestControllerAdvice
	static class ScoreAdvice {

		@ExceptionHandler
		@ResponseStatus(HttpStatus.LOCKED)
		String answer(UnsupportedOperationException failure) {
			return "The score is locked.";
		}

	}

	@ResponseStatus(code = HttpStatus.CONFLICT, reason = "The score exists.")
	static class ScoreExistsException extends RuntimeException {

	}

	@ResponseStatus(HttpStatus.BAD_REQUEST)
	static class BadScoreException extends RuntimeException {

	}

}
