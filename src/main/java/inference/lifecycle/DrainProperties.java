package inference.lifecycle;

import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The end of the process.
 *
 * @param delay how long requests are still served after SIGTERM, for clients that have
 * not noticed yet that the server is not ready any more
 */
@Validated
@ConfigurationProperties(prefix = "inference.drain", ignoreUnknownFields = false)
record DrainProperties(@DurationMin @DefaultValue("0s") Duration delay) {
}
