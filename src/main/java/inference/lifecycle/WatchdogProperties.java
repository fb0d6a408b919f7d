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
 * @param stuckAfter the age of a call from which the model counts as stuck, if no other
 * call has returned for as long; a day at most
 */
@Validated
@ConfigurationProperties(prefix = "inference.watchdog", ignoreUnknownFields = false)
record WatchdogProperties(@DurationMin(millis = 1) @DurationMax(days = 1) @DefaultValue("60s") Duration stuckAfter) {
}
