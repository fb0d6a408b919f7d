package inference.lifecycle;

import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMax;
import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The settings of the drain, which is the phase from SIGTERM to the end of the process.
 *
 * @param delay how long the port stays open after SIGTERM, so that clients can notice
 * that the server is no longer ready; a day at most
 */
@Validated
@ConfigurationProperties(prefix = "inference.drain", ignoreUnknownFields = false)
record DrainProperties(@DurationMin @DurationMax(days = 1) @DefaultValue("0s") Duration delay) {
}
