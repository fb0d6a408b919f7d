package inference.health;

import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.Environment;

import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.State;

/**
 * Derives each probe's result, the state metric and Actuator's health indicators from the
 * lifecycle's state. Each indicator is the only member of its health group.
 */
@Configuration(proxyBeanMethods = false)
public class Probes {

	private static final Logger logger = LoggerFactory.getLogger(Probes.class);

	/** Each of these properties changes the scheme, host or path of the probes. */
	private static final List<String> ADDRESS_PROPERTIES = List.of("server.address", "server.servlet.context-path",
			"server.ssl.bundle", "server.ssl.certificate", "server.ssl.key-store");

	private final ModelLifecycle lifecycle;

	Probes(ModelLifecycle lifecycle, Environment environment) {
		this.lifecycle = lifecycle;
		List<String> addressProperties = ADDRESS_PROPERTIES.stream().filter(environment::containsProperty).toList();
		if (!addressProperties.isEmpty()) {
			logger.warn(
					"Probes may fail, because {} can change their address: check the scheme, host and path of the"
							+ " platform's probes, such as those in service.json",
					String.join(", ", addressProperties));
		}
	}

	/** The results of all probes, from one snapshot. */
	public ProbeResults results() {
		return ProbeResults.of(this.lifecycle.snapshot());
	}

	@Bean
	HealthIndicator startupProbeHealthIndicator() {
		return () -> health(ProbeResults::started, Status.OUT_OF_SERVICE);
	}

	@Bean
	HealthIndicator livenessProbeHealthIndicator() {
		return () -> health(ProbeResults::live, Status.DOWN);
	}

	@Bean
	HealthIndicator readinessProbeHealthIndicator() {
		return () -> health(ProbeResults::ready, Status.OUT_OF_SERVICE);
	}

	@Bean
	MeterBinder stateMetrics() {
		return (registry) -> {
			for (State state : State.values()) {
				Gauge.builder("inference.state", () -> (this.lifecycle.snapshot().state() == state) ? 1 : 0)
					.description("1 for the state the model is in, 0 for the others")
					.tag("state", state.name().toLowerCase(Locale.ROOT))
					.register(registry);
			}
		};
	}

	private Health health(Predicate<ProbeResults> probe, Status failureStatus) {
		ProbeResults results = results();
		return Health.status(probe.test(results) ? Status.UP : failureStatus)
			.withDetail("state", results.stateName())
			.withDetail("reason", results.reason())
			.build();
	}

}
