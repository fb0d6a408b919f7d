package examples;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

import com.sun.net.httpserver.HttpServer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class EasMetricsTests {

	@Test
	void sendsTheLoadUntilItIsStopped() throws Exception {
		BlockingQueue<JsonNode> received = new LinkedBlockingQueue<>();
		HttpServer sidecar = sidecar(received);
		try {
			SimpleMeterRegistry registry = new SimpleMeterRegistry();
			registry.gauge("inference.queued", 3);
			EasMetrics metrics = new EasMetrics(registry,
					URI.create("http://localhost:%d/".formatted(sidecar.getAddress().getPort())));
			metrics.start();
			assertThat(received.poll(10, TimeUnit.SECONDS))
				.isEqualTo(JsonMapper.shared().readTree("[{\"name\":\"inference_queued\",\"value\":3.0}]"));
			metrics.stop();
			await().pollInterval(Duration.ofMillis(10)).until(() -> !metrics.isRunning());
		}
		finally {
			sidecar.stop(0);
		}
	}

	private static HttpServer sidecar(BlockingQueue<JsonNode> received) throws IOException {
		HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
		server.createContext("/", (exchange) -> {
			try (exchange) {
				received.add(JsonMapper.shared().readTree(exchange.getRequestBody().readAllBytes()));
				exchange.sendResponseHeaders(200, -1);
			}
		});
		server.start();
		return server;
	}

}
