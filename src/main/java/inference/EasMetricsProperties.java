package inference;

import java.net.URI;
import java.time.Duration;

import org.hibernate.validator.constraints.time.DurationMin;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * Whether and where metrics are sent for EAS to show and to scale by.
 *
 * @param enabled whether they are sent; each must also be declared under {@code metrics}
 * in {@code service.json}
 * @param uri where the sidecar takes them that EAS puts into every instance
 * @param period the time from one sending to the next
 */
@Validated
@ConfigurationProperties("inference.eas.metrics")
record EasMetricsProperties(@DefaultValue("false") boolean enabled,
		@DefaultValue("http://localhost:8080/api/builtin/realtime_metrics") URI uri,
		@DurationMin(millis = 1) @DefaultValue("10s") Duration period) {
}
