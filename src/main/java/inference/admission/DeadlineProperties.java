package inference.admission;

import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How long a prediction may take.
 *
 * @param deadline from the request's arrival; below the 5 seconds after which EAS clients
 * give up
 */
@Validated
@ConfigurationProperties("inference")
public record DeadlineProperties(@DurationMin(millis = 1) @DefaultValue("4s") Duration deadline) {
}
