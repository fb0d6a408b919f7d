package inference.lifecycle;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.core.exc.StreamReadException;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import inference.ErrorBody;
import inference.Server;
import inference.Surfaces;
import inference.model.DeviceLostException;
import inference.model.Example;
import inference.model.FakeModel;
import inference.model.Gate;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.greaterThanOrEqualTo;
import static org.hamcrest.Matchers.lessThan;
import static org.hamcrest.Matchers.not;

/**
 * Models and clients that misbehave: what every surface says, what clients are answered,
 * what is counted and logged, and how the server recovers.
 */
@ExtendWith(OutputCaptureExtension.class)
class ChaosTests {

	private static final String ONE_ROW = "{\"instances\":[1]}";

	private final FakeModel model = new FakeModel();

	private final Gate gate = new Gate();

	private final HttpClient client = HttpClient.newHttpClient();

	@AfterEach
	void openTheGate() {
		this.gate.open();
		this.client.close();
	}

	@Test
	void failsLivenessUntilACallThatHangsReturns(CapturedOutput output) throws Exception {
		try (Server server = Server.ready(() -> this.model, "inference.watchdog.stuck-after=1ms")) {
			hangUninterruptibly();
			var hanging = predict(server, Map.of());
			this.gate.awaitArrivals(1);
			server.await(State.STUCK);
			Surfaces.verify(server, State.STUCK, 200, 503, 503, "a call has not returned");
			server.request().body(ONE_ROW).post("/").then().statusCode(503).header("Retry-After", equalTo("2"));
			metric(server, "inference_state{state=\"stuck\"} 1.0");
			assertThat(output).contains("STUCK: a call has not returned", "inference.model.Gate.pass");

			this.model.behave(FakeModel::echo);
			this.gate.open();
			server.await(State.READY);
			Surfaces.verify(server, State.READY, 200, 200, 200, "calls return from the model again");
			assertThat(hanging.get().statusCode()).isEqualTo(200);
			server.request().body(ONE_ROW).post("/").then().statusCode(200);
		}
	}

	@Test
	void failsLivenessForeverWhenTheDeviceIsLost(CapturedOutput output) {
		try (Server server = Server.ready(() -> this.model)) {
			this.model.behave((_) -> {
				throw new DeviceLostException("CUDA error 700: an illegal memory access", new IllegalStateException());
			});
			server.request().body(ONE_ROW).post("/").then().statusCode(500);
			server.await(State.STUCK);
			this.model.behave(FakeModel::echo);
			Surfaces.verify(server, State.STUCK, 200, 503, 503, "the device is lost: CUDA error 700");
			server.request().body(ONE_ROW).post("/").then().statusCode(503);
			assertThat(output).contains("STUCK: the device is lost: CUDA error 700");
		}
	}

	@Test
	void saysThatTheDeviceIsLostEvenIfTheCallHasHungBefore(CapturedOutput output) throws Exception {
		try (Server server = Server.ready(() -> this.model, "inference.watchdog.stuck-after=200ms")) {
			this.model.behave((_) -> {
				this.gate.passUninterruptibly();
				throw new DeviceLostException("CUDA error 700", new IllegalStateException());
			});
			var hanging = predict(server, Map.of());
			server.await(State.STUCK);
			this.gate.open();
			assertThat(hanging.get().statusCode()).isEqualTo(500);
			Surfaces.verify(server, State.STUCK, 200, 503, 503, "the device is lost: CUDA error 700");
			assertThat(output).contains("STUCK: the device is lost: CUDA error 700");
		}
	}

	@Test
	void answersALateCallAtItsDeadlineAndKeepsItsSlotTaken() throws Exception {
		try (Server server = Server.ready(() -> this.model, "inference.admission.max-concurrent=1",
				"inference.admission.max-queued=0")) {
			hangUninterruptibly();
			var late = predict(server, Map.of("X-Request-Timeout-Ms", "50"));
			this.gate.awaitArrivals(1);
			HttpResponse<String> answer = late.get();
			assertThat(answer.statusCode()).isEqualTo(504);
			assertThat(answer.body()).contains("The deadline of 50 ms passed while the request was inside the model");
			server.request().body(ONE_ROW).post("/").then().statusCode(429);
			Surfaces.verify(server, State.READY, 200, 200, 200, "the model serves");
			metric(server, "inference_running 1.0");
			metric(server, "inference_requests_seconds_count{outcome=\"late\",protocol=\"http\"} 1");

			this.model.behave(FakeModel::echo);
			this.gate.open();
			await().pollInterval(Duration.ofMillis(10))
				.untilAsserted(() -> server.request().body(ONE_ROW).post("/").then().statusCode(200));
		}
	}

	@Test
	void readsTheTimeoutParameterInMicroseconds() {
		Server server = shared();
		hangUninterruptibly();
		server.request()
			.body("""
					{"parameters":{"timeout":50000},
					"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[1]}]}""")
			.post("/v2/models/m/infer")
			.then()
			.statusCode(504)
			.body(ErrorBody.SENTENCE, containsString("The deadline of 50 ms"));
	}

	@Test
	void refusesCallsAndPassesProbesWhileTheQueueIsFull() {
		try (Server server = Server.ready(() -> this.model, "inference.admission.max-concurrent=1",
				"inference.admission.max-queued=1", "inference.deadline=1m")) {
			hangUninterruptibly();
			var inside = predict(server, Map.of());
			this.gate.awaitArrivals(1);
			var queued = predict(server, Map.of());
			awaitMetric(server, "inference_queued 1.0");
			server.request()
				.body(ONE_ROW)
				.post("/")
				.then()
				.statusCode(429)
				.header("Retry-After", Integer::parseInt, greaterThanOrEqualTo(1))
				.body(ErrorBody.SENTENCE, containsString("The server is busy"));
			Surfaces.verify(server, State.READY, 200, 200, 200, "the model serves");
			metric(server, "inference_requests_seconds_count{outcome=\"overloaded\",protocol=\"http\"} 1");
			this.gate.open();
			assertThat(inside.join().statusCode()).isEqualTo(200);
			assertThat(queued.join().statusCode()).isEqualTo(200);
		}
	}

	@Test
	void answersOtherClientsWhileBodiesArriveSlowly() throws Exception {
		Server server = shared();
		List<Socket> slow = new ArrayList<>();
		try {
			// These are more requests than may be active at once.
			for (int i = 0; i < 100 + 10 * Runtime.getRuntime().availableProcessors(); i++) {
				slow.add(send(server, 100, "{"));
			}
			server.request().body(ONE_ROW).post("/").then().statusCode(200).time(lessThan(10_000L));
			Surfaces.verify(server, State.READY, 200, 200, 200, "the model serves");
			metric(server, "inference_backlog 0.0");
		}
		finally {
			for (Socket socket : slow) {
				socket.close();
			}
		}
	}

	@Test
	void countsAnAnswerThatItsClientDoesNotReadAsLate(CapturedOutput output) throws Exception {
		try (Server server = Server.ready(() -> this.model, "inference.deadline=500ms")) {
			this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(4_000_000), new float[4_000_000])));
			try (Socket _ = send(server, 14, "{\"inputs\":[1]}")) {
				awaitMetric(server, "inference_requests_seconds_count{outcome=\"late\",protocol=\"http\"} 1");
			}
			assertThat(output).doesNotContain("ERROR", "\tat ");
		}
	}

	@Test
	void countsAClientThatHangsUpDuringItsRunAsGone() throws Exception {
		try (Server server = Server.ready(() -> this.model)) {
			hangUpDuringRun(server, FakeModel::echo);
			awaitMetric(server, "inference_requests_seconds_count{outcome=\"gone\",protocol=\"http\"} 1");
		}
	}

	@Test
	void logsAndCountsAFailureAfterItsClientHasHungUp(CapturedOutput output) throws Exception {
		try (Server server = Server.ready(() -> this.model)) {
			hangUpDuringRun(server, (_) -> {
				throw new IllegalStateException("out of handles");
			});
			awaitMetric(server, "inference_requests_seconds_count{outcome=\"failed\",protocol=\"http\"} 1");
			assertThat(output).contains("out of handles");
		}
	}

	private void hangUpDuringRun(Server server, UnaryOperator<Map<String, Tensor>> run) throws Exception {
		this.model.behave((inputs) -> {
			this.gate.pass();
			return run.apply(inputs);
		});
		try (Socket _ = send(server, ONE_ROW.length(), ONE_ROW)) {
			this.gate.awaitArrivals(1);
		}
		// The server checks the connection only if the wait took more than 20 ms.
		long hungUpNanos = System.nanoTime();
		await().until(() -> System.nanoTime() - hungUpNanos > TimeUnit.MILLISECONDS.toNanos(100));
		this.gate.open();
	}

	@Test
	void skipsAQueuedCallWhoseClientHangsUp() throws Exception {
		try (Server server = Server.ready(() -> this.model, "inference.admission.max-concurrent=1")) {
			AtomicInteger served = new AtomicInteger();
			this.model.behave((inputs) -> {
				served.incrementAndGet();
				this.gate.pass();
				return FakeModel.echo(inputs);
			});
			var inside = predict(server, Map.of());
			this.gate.awaitArrivals(1);
			var patient = predict(server, Map.of());
			awaitMetric(server, "inference_queued 1.0");
			try (Socket _ = send(server, ONE_ROW.length(), ONE_ROW)) {
				awaitMetric(server, "inference_queued 2.0");
			}
			this.gate.open();
			assertThat(inside.get().statusCode()).isEqualTo(200);
			assertThat(patient.get().statusCode()).isEqualTo(200);
			awaitMetric(server, "inference_requests_seconds_count{outcome=\"gone\",protocol=\"http\"} 1");
			assertThat(served).hasValue(2);
		}
	}

	@Test
	void answersModelFailuresWith500AndStaysReady(CapturedOutput output) {
		Server server = shared();
		Timer failures = server.context()
			.getBean(MeterRegistry.class)
			.get("inference.requests")
			.tags("outcome", "failed", "protocol", "http")
			.timer();
		long before = failures.count();
		this.model.behave((_) -> {
			throw new IllegalStateException("broken");
		});
		failed(server, "The model failed. The server's log has the reason");
		server.request().body(ONE_ROW).post("/").then().body(not(containsString("broken")));
		this.model.behave((_) -> {
			throw new StreamReadException("no JSON");
		});
		failed(server, "The model failed.");
		this.model.behave((_) -> {
			throw new StackOverflowError("too deep");
		});
		failed(server, "The model failed.");
		this.model.behave((_) -> Map.of());
		failed(server, "the model did not return output 'y'.");
		this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(1, 1), 1)));
		failed(server, "the model declares output y FP32 [-1], but returned FP32 [1,1].");
		this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(1), Float.NaN)));
		this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(2), 1, 2)));
		failed(server,
				"The model failed: output 'y' has shape [2], not a row for each of 1 instances: if the model may drop rows, use \"inputs\" in place of \"instances\".");
		assertThat(failures.count()).isEqualTo(before + 7);
		this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(1), Float.NaN)));
		server.request().body(ONE_ROW).post("/").then().statusCode(200).body(containsString("NaN"));
		this.model.behave(FakeModel::echo);
		server.request().body(ONE_ROW).post("/").then().statusCode(200);
		Surfaces.verify(server, State.READY, 200, 200, 200, "the model serves");
		assertThat(output).contains("A prediction failed", "broken", "no JSON", "too deep");
	}

	@Test
	void refusesToServeAModelThatGetsItsExampleWrong(CapturedOutput output) {
		FakeModel liar = new FakeModel(new Example(Map.of("x", Tensor.ofFloats(Shape.of(1), 1)),
				Map.of("y", Tensor.ofFloats(Shape.of(1), 2)), 1e-3));
		try (Server server = Server.starting(() -> liar)) {
			server.await(State.FAILED);
			Surfaces.verify(server, State.FAILED, 503, 200, 503, "The model gets its example wrong");
			server.request().body(ONE_ROW).post("/").then().statusCode(503);
			assertThat(output)
				.contains("The model gets its example wrong: output 'y' is 1.0 instead of 2.0 at element 0.");
		}
	}

	@Test
	void refusesToServeAModelThatCannotRunItsExample(CapturedOutput output) {
		FakeModel model = new FakeModel(new Example(Map.of("x", Tensor.ofFloats(Shape.of(1), 1)), Map.of(), 0));
		model.behave((_) -> {
			throw new IllegalArgumentException("index 99 is out of range");
		});
		try (Server server = Server.starting(() -> model)) {
			server.await(State.FAILED);
			Surfaces.verify(server, State.FAILED, 503, 200, 503, "The model cannot run its example");
			assertThat(output).contains("The model cannot run its example: index 99 is out of range.");
		}
	}

	@Test
	void servesWhileDrainingAndClosesConnections() throws Exception {
		Server server = Server.ready(() -> this.model, "inference.drain.delay=1h");
		CountDownLatch closed = new CountDownLatch(1);
		Thread closing = Thread.ofPlatform().start(() -> {
			server.close();
			closed.countDown();
		});
		server.await(State.DRAINING);
		Surfaces.verify(server, State.DRAINING, 200, 200, 503, "the process was asked to end");
		HttpResponse<String> answer = predict(server, Map.of()).get();
		assertThat(answer.statusCode()).isEqualTo(200);
		assertThat(answer.headers().firstValue("Connection")).hasValue("close");
		metric(server, "inference_state{state=\"draining\"} 1.0");
		server.request().get("/v1/models/m").then().body(containsString("UNLOADING"));
		closing.interrupt();
		assertThat(closed.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(this.model.closings()).isOne();
	}

	private void hangUninterruptibly() {
		this.model.behave((inputs) -> {
			this.gate.passUninterruptibly();
			return FakeModel.echo(inputs);
		});
	}

	/** The server of other tests, with this test's model. */
	private Server shared() {
		Server server = Server.shared();
		server.swap(this.model);
		return server;
	}

	/** A client that sends this and reads no answer. */
	private static Socket send(Server server, int length, String body) throws IOException {
		Socket socket = new Socket("localhost", server.port());
		socket.getOutputStream()
			.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s".formatted(length, body)
				.getBytes(StandardCharsets.US_ASCII));
		return socket;
	}

	private CompletableFuture<HttpResponse<String>> predict(Server server, Map<String, String> headers) {
		HttpRequest.Builder request = HttpRequest
			.newBuilder(URI.create("http://localhost:%d/".formatted(server.port())))
			.POST(BodyPublishers.ofString(ONE_ROW));
		headers.forEach(request::header);
		return this.client.sendAsync(request.build(), BodyHandlers.ofString());
	}

	private static void failed(Server server, String sentence) {
		server.request()
			.body(ONE_ROW)
			.post("/")
			.then()
			.statusCode(500)
			.body(ErrorBody.SENTENCE, containsString(sentence));
	}

	private static void awaitMetric(Server server, String line) {
		await().pollInterval(Duration.ofMillis(10)).untilAsserted(() -> metric(server, line));
	}

	private static void metric(Server server, String line) {
		server.request().get("/actuator/prometheus").then().statusCode(200).body(containsString(line));
	}

}
