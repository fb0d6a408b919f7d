package inference.lifecycle;

import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The settings of the watchdog.
 *
 * @param stuckAfter the model counts as stuck if a call has run for this time and no
 * other call has returned in this time; a day at most
 */
@Validated
@ConfigurationProperties(prefix = "inference.watchdog", ignoreUnknownFields = false)
record WatchdogProperties(@DurationMin(millis = 1) @DurationMax(days = 1) @DefaultValue("60s") Duration stuckAfter) {
}
