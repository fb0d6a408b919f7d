package inference.admission;

import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The deadline of every request. Unknown properties are accepted, because other settings,
 * and the settings of forks, have the same prefix.
 *
 * @param deadline the longest time from a request's admission to its answer, a day at
 * most. Keep this time below 5 seconds, because clients of PAI-EAS give up after 5
 * seconds
 */
@Validated
@ConfigurationProperties("inference")
record DeadlineProperties(@DurationMin(millis = 1) @DurationMax(days = 1) @DefaultValue("4s") Duration deadline) {
}
