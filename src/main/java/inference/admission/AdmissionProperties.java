package inference.admission;

import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How many calls are let in.
 *
 * @param maxConcurrent calls inside the model at once; by default as many as the CPUs can
 * run, each with {@code inference.model.threads}
 * @param maxQueued calls that wait for a slot; one more is refused with 429
 */
@Validated
@ConfigurationProperties("inference.admission")
public record AdmissionProperties(@Nullable @Min(1) Integer maxConcurrent, @Min(0) @DefaultValue("64") int maxQueued) {

	int maxConcurrent(int threads) {
		Integer configured = this.maxConcurrent;
		return (configured != null) ? configured : Math.max(1, Runtime.getRuntime().availableProcessors() / threads);
	}

}
