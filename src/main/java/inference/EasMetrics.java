package inference;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

/**
 * Sends EAS what it can scale by, for it collects no metrics itself. Here, outside of all
 * rooms, because it knows nothing but the meters' names: whether the sidecar takes them,
 * fails or is not there makes no difference to anything else.
 */
@Component
@ConditionalOnBooleanProperty("inference.eas.metrics.enabled")
final class EasMetrics implements SmartLifecycle {

	private static final Logger logger = LoggerFactory.getLogger(EasMetrics.class);

	private static final Duration TIMEOUT = Duration.ofSeconds(2);

	private final EasMetricsProperties properties;

	private final MeterRegistry registry;

	private final Map<Timer, Long> counts = new HashMap<>();

	private long counted = System.nanoTime();

	private volatile @Nullable Thread thread;

	EasMetrics(EasMetricsProperties properties, MeterRegistry registry) {
		this.properties = properties;
		this.registry = registry;
	}

	@Override
	public void start() {
		this.thread = Thread.ofPlatform().name("eas-metrics").daemon().start(this::run);
	}

	@Override
	public void stop() {
		Thread running = this.thread;
		if (running != null) {
			running.interrupt();
		}
		this.thread = null;
	}

	@Override
	public boolean isRunning() {
		return this.thread != null;
	}

	private void run() {
		boolean told = false;
		try (HttpClient client = HttpClient.newBuilder().connectTimeout(TIMEOUT).build()) {
			while (true) {
				Thread.sleep(this.properties.period());
				String failure = send(client);
				if (failure != null && !told) {
					told = true;
					logger.debug("EAS does not take the metrics at {}, which is not told again: {}",
							this.properties.uri(), failure);
				}
			}
		}
		catch (InterruptedException ex) {
			// Asked to stop
			Thread.currentThread().interrupt();
		}
	}

	private @Nullable String send(HttpClient client) throws InterruptedException {
		HttpRequest request = HttpRequest.newBuilder(this.properties.uri())
			.timeout(TIMEOUT)
			.header("Content-Type", "application/json")
			.POST(BodyPublishers.ofByteArray(JsonMapper.shared().writeValueAsBytes(samples())))
			.build();
		try {
			int status = client.send(request, BodyHandlers.discarding()).statusCode();
			return (status == 200) ? null : "status %d".formatted(status);
		}
		catch (IOException ex) {
			return ex.toString();
		}
	}

	private List<Map<String, Object>> samples() {
		List<Map<String, Object>> samples = new ArrayList<>();
		for (String name : List.of("inference.queued", "inference.running", "inference.predicted.wait")) {
			Gauge gauge = this.registry.get(name).gauge();
			String exposed = gauge.getId().getConventionName(this.registry.config().namingConvention());
			samples.add(Map.of("name", exposed, "value", gauge.value()));
		}
		long now = System.nanoTime();
		double seconds = (now - this.counted) / 1e9;
		this.counted = now;
		for (Timer timer : this.registry.get("inference.requests").timers()) {
			long count = timer.count();
			Long before = this.counts.put(timer, count);
			samples.add(Map.of("name", "inference_requests_per_second", "tags",
					Map.of("outcome", String.valueOf(timer.getId().getTag("outcome"))), "value",
					(count - ((before != null) ? before : 0)) / seconds));
		}
		return samples;
	}

}
