package inference.admission;

import java.time.Duration;

import jakarta.validation.constraints.Min;
import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Batching of requests. It is off by default, because the rows of some models influence
 * each other.
 *
 * @param maxSize the most rows of different requests in one run; 1 disables batching. A
 * larger value has an effect only if the warm-up finds no rows that influence each other
 * @param maxDelay the longest time that a call waits for other calls to join its batch,
 * counted from the call's arrival and rounded up to a millisecond; shorter than the
 * deadline
 */
@Validated
@ConfigurationProperties(prefix = "inference.batching", ignoreUnknownFields = false)
record BatchingProperties(@Min(1) @DefaultValue("1") int maxSize, @DurationMin @DefaultValue("0s") Duration maxDelay) {
}
