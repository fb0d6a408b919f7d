package inference.health;

import java.util.Locale;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import inference.lifecycle.State;

/**
 * The probes as Actuator health indicators, each the only member of the health group of
 * its name.
 */
@Configuration(proxyBeanMethods = false)
class ProbeIndicators {

	@Bean
	HealthIndicator startupProbeHealthIndicator(Probes probes) {
		return () -> health(probes.ask(Probe.STARTUP), Status.OUT_OF_SERVICE);
	}

	@Bean
	HealthIndicator livenessProbeHealthIndicator(Probes probes) {
		return () -> health(probes.ask(Probe.LIVENESS), Status.DOWN);
	}

	@Bean
	HealthIndicator readinessProbeHealthIndicator(Probes probes) {
		return () -> health(probes.ask(Probe.READINESS), Status.OUT_OF_SERVICE);
	}

	@Bean
	MeterBinder stateMetrics(Probes probes) {
		return (registry) -> {
			for (State state : State.values()) {
				Gauge.builder("inference.state", () -> probes.ask(Probe.READINESS).state().equals(state.name()) ? 1 : 0)
					.description("1 for the state the model is in, 0 for the others")
					.tag("state", state.name().toLowerCase(Locale.ROOT))
					.register(registry);
			}
		};
	}

	private static Health health(Verdict verdict, Status failing) {
		return Health.status(verdict.passes() ? Status.UP : failing)
			.withDetail("state", verdict.state())
			.withDetail("reason", verdict.reason())
			.build();
	}

}
