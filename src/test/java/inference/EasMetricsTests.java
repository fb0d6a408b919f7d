package inference;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.Collectors;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What the server tells the sidecar that EAS puts beside it, and that it does not care
 * what comes of it.
 */
@ExtendWith(OutputCaptureExtension.class)
class EasMetricsTests {

	private static final String[] DEBUG = { "logging.level.inference.EasMetrics=debug" };

	@Test
	void saysHowManyWaitRunAndAreAnswered() {
		try (Sidecar sidecar = new Sidecar(200); Server server = reportingTo(sidecar.address())) {
			server.request().body("{\"instances\":[[1,2]]}").post("/").then().statusCode(200);
			JsonNode samples = sidecar.awaitOne((sample) -> sample.at("/tags/outcome").asString().equals("ok")
					&& sample.path("value").asDouble() > 0);
			assertThat(samples.isArray()).isTrue();
			assertThat(samples).allSatisfy((sample) -> {
				assertThat(sample.path("name").isString()).isTrue();
				assertThat(sample.path("value").isNumber()).isTrue();
			});
			assertThat(samples.findValuesAsString("name")).contains("inference_queued", "inference_running",
					"inference_predicted_wait_seconds", "inference_requests_per_second");
			assertThat(samples.findValuesAsString("outcome")).containsExactlyInAnyOrder("ok", "invalid", "overloaded",
					"not_ready", "late", "gone", "failed");
			String exposed = server.request().get("/actuator/prometheus").asString();
			assertThat(samples.findValuesAsString("name").stream().filter((name) -> !name.endsWith("_per_second")))
				.allMatch((name) -> exposed.contains("\n%s ".formatted(name)));
		}
	}

	@Test
	void goesOnWhenItIsRefusedAndSaysSoOnce(CapturedOutput output) {
		try (Sidecar sidecar = new Sidecar(500); Server server = reportingTo(sidecar.address(), DEBUG)) {
			for (int i = 0; i < 5; i++) {
				sidecar.awaitOne((_) -> true);
			}
			assertThat(output.toString().lines().filter((line) -> line.contains("EAS does not take"))).singleElement()
				.asString()
				.contains("DEBUG", sidecar.address(), "status 500");
			server.request().get("/readyz").then().statusCode(200);
		}
	}

	@Test
	void servesWhereThereIsNoSidecar(CapturedOutput output) throws IOException {
		int free;
		try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			free = socket.getLocalPort();
		}
		try (Server server = reportingTo("http://localhost:%d/".formatted(free), DEBUG)) {
			await().until(() -> output.toString().contains("EAS does not take"));
			server.request().get("/readyz").then().statusCode(200);
			server.request().body("{\"instances\":[[1,2]]}").post("/").then().statusCode(200);
		}
		assertThat(output).doesNotContain("WARN", "ERROR", "\tat ");
	}

	@Test
	void servesAndEndsBesideASidecarThatNeverAnswers(CapturedOutput output) {
		CountDownLatch never = new CountDownLatch(1);
		try (Sidecar sidecar = new Sidecar(never)) {
			try (Server server = reportingTo(sidecar.address(), DEBUG)) {
				sidecar.awaitOne((_) -> true);
				server.request().get("/readyz").then().statusCode(200);
				server.request().body("{\"instances\":[[1,2]]}").post("/").then().statusCode(200);
				await().until(() -> output.toString().contains("HttpTimeoutException"));
				sidecar.awaitOne((_) -> true);
			}
			await().until(() -> threads().isEmpty());
			never.countDown();
		}
	}

	@Test
	void isNotThereUnlessAskedFor() {
		try (Server server = Server.ready(TestModel::new)) {
			assertThat(server.context().getBeansOfType(EasMetrics.class)).isEmpty();
			assertThat(threads()).isEmpty();
		}
	}

	private static Server reportingTo(String address, String... more) {
		String[] properties = new String[more.length + 3];
		properties[0] = "inference.eas.metrics.enabled=true";
		properties[1] = "inference.eas.metrics.uri=" + address;
		properties[2] = "inference.eas.metrics.period=20ms";
		System.arraycopy(more, 0, properties, 3, more.length);
		return Server.ready(TestModel::new, properties);
	}

	private static Set<String> threads() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.map(Thread::getName)
			.filter((name) -> name.equals("eas-metrics"))
			.collect(Collectors.toSet());
	}

	/**
	 * In place of the one that EAS puts into every instance.
	 */
	private static final class Sidecar implements AutoCloseable {

		private final BlockingQueue<JsonNode> received = new LinkedBlockingQueue<>();

		private final HttpServer server;

		/** One that answers with this status. */
		Sidecar(int status) {
			this(status, new CountDownLatch(0));
		}

		/** One that answers not before it is let. */
		Sidecar(CountDownLatch let) {
			this(200, let);
		}

		private Sidecar(int status, CountDownLatch let) {
			try {
				this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
			}
			catch (IOException ex) {
				throw new AssertionError(ex);
			}
			this.server.setExecutor((task) -> Thread.ofVirtual().start(task));
			this.server.createContext("/api/builtin/realtime_metrics", (exchange) -> answer(exchange, status, let));
			this.server.start();
		}

		String address() {
			return "http://localhost:%d/api/builtin/realtime_metrics".formatted(this.server.getAddress().getPort());
		}

		/** Waits for a message of which one sample is as wanted. */
		JsonNode awaitOne(Predicate<JsonNode> wanted) {
			try {
				while (true) {
					JsonNode message = this.received.poll(10, TimeUnit.SECONDS);
					if (message == null) {
						throw new AssertionError("no such message came");
					}
					if (message.valueStream().anyMatch(wanted)) {
						return message;
					}
				}
			}
			catch (InterruptedException ex) {
				throw new AssertionError(ex);
			}
		}

		@Override
		public void close() {
			this.server.stop(0);
		}

		private void answer(HttpExchange exchange, int status, CountDownLatch let) throws IOException {
			try (exchange) {
				if (exchange.getRequestMethod().equals("POST")) {
					this.received.add(JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes()));
				}
				let.await();
				exchange.sendResponseHeaders(status, -1);
			}
			catch (InterruptedException ex) {
				throw new AssertionError(ex);
			}
		}

	}

}
