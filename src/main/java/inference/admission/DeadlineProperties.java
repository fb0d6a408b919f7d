package inference.admission;

import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The deadline of every request. The prefix also has settings of other records and of
 * forks.
 *
 * @param deadline the longest time from a request's admission to its answer, a day at
 * most; keep it below 5 seconds, after which EAS clients give up
 */
@Validated
@ConfigurationProperties("inference")
record DeadlineProperties(@DurationMin(millis = 1) @DurationMax(days = 1) @DefaultValue("4s") Duration deadline) {
}
