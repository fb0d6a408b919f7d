package inference.health;

import java.util.Locale;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.binder.MeterBinder;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;

/**
 * Answers the probes from the lifecycle's state: directly, as the state's metric, and as
 * Actuator health indicators. Each indicator is the only member of its health group.
 */
@Configuration(proxyBeanMethods = false)
public class Probes {

	private final ModelLifecycle lifecycle;

	Probes(ModelLifecycle lifecycle) {
		this.lifecycle = lifecycle;
	}

	public Verdict ask(Probe probe) {
		Snapshot now = this.lifecycle.snapshot();
		return new Verdict(probe.passes(now.state()), now.state().name(), now.reason());
	}

	@Bean
	HealthIndicator startupProbeHealthIndicator() {
		return () -> health(Probe.STARTUP, Status.OUT_OF_SERVICE);
	}

	@Bean
	HealthIndicator livenessProbeHealthIndicator() {
		return () -> health(Probe.LIVENESS, Status.DOWN);
	}

	@Bean
	HealthIndicator readinessProbeHealthIndicator() {
		return () -> health(Probe.READINESS, Status.OUT_OF_SERVICE);
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

	private Health health(Probe probe, Status failure) {
		Verdict verdict = ask(probe);
		return Health.status(verdict.passes() ? Status.UP : failure)
			.withDetail("state", verdict.state())
			.withDetail("reason", verdict.reason())
			.build();
	}

}
