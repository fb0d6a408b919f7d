package inference.lifecycle;

import java.time.Duration;

import jakarta.validation.Valid;
import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * When the model's life takes a turn for the worse, and how it ends.
 *
 * @param drain how the process ends
 * @param watchdog when a call counts as stuck
 */
@Validated
@ConfigurationProperties("inference")
public record LifecycleProperties(@Valid @DefaultValue Drain drain, @Valid @DefaultValue Watchdog watchdog) {

	/**
	 * How the process ends.
	 *
	 * @param delay how long requests are still served after SIGTERM, for those who have
	 * not noticed yet that readiness is gone
	 */
	public record Drain(@DurationMin @DefaultValue("0s") Duration delay) {
	}

	/**
	 * When a call counts as stuck.
	 *
	 * @param stuckAfter the age of a call at which, if nothing else has finished for as
	 * long, liveness fails
	 */
	public record Watchdog(@DurationMin(millis = 1) @DefaultValue("60s") Duration stuckAfter) {
	}

}
