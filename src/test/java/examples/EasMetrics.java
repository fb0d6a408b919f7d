package examples;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import io.micrometer.core.instrument.MeterRegistry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Sends the load of this instance to EAS every ten seconds, so that EAS can scale by it.
 * EAS takes it from a sidecar that it puts into every instance; each metric must also be
 * declared under {@code metrics} in {@code service.json}.
 */
@Component
public class EasMetrics implements SmartLifecycle {

	private static final Logger logger = LoggerFactory.getLogger(EasMetrics.class);

	private static final List<String> METERS = List.of("inference.queued", "inference.running",
			"inference.predicted.wait");

	private final MeterRegistry registry;

	private final URI sidecar;

	private final Thread sender = Thread.ofPlatform().name("eas-metrics").daemon().unstarted(this::run);

	EasMetrics(MeterRegistry registry,
			@Value("${eas.metrics.uri:http://localhost:8080/api/builtin/realtime_metrics}") URI sidecar) {
		this.registry = registry;
		this.sidecar = sidecar;
	}

	@Override
	public void start() {
		this.sender.start();
	}

	@Override
	public void stop() {
		this.sender.interrupt();
	}

	@Override
	public boolean isRunning() {
		return this.sender.isAlive();
	}

	private void run() {
		try (HttpClient client = HttpClient.newHttpClient()) {
			while (true) {
				send(client);
				Thread.sleep(Duration.ofSeconds(10));
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private void send(HttpClient client) throws InterruptedException {
		byte[] body = JsonMapper.shared().writeValueAsBytes(METERS.stream().flatMap(this::sample).toList());
		HttpRequest request = HttpRequest.newBuilder(this.sidecar)
			.timeout(Duration.ofSeconds(2))
			.header("Content-Type", "application/json")
			.POST(BodyPublishers.ofByteArray(body))
			.build();
		try {
			client.send(request, BodyHandlers.discarding());
		}
		catch (IOException ex) {
			logger.debug("EAS did not take the metrics", ex);
		}
	}

	private Stream<Map<String, Object>> sample(String meter) {
		return this.registry.find(meter)
			.gauges()
			.stream()
			.map((gauge) -> Map.of("name", meter.replace('.', '_'), "value", gauge.value()));
	}

}
