package inference.admission;

import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The limits of running and of queued calls.
 *
 * @param maxConcurrent the most calls inside the model; by default the CPUs divided by
 * {@code inference.model.threads}, and one more if that is above 1
 * @param maxQueued the most calls that wait for a model thread; one more is rejected with
 * 429, as is a call that could not be answered before its deadline
 */
@Validated
@ConfigurationProperties(prefix = "inference.admission", ignoreUnknownFields = false)
record AdmissionProperties(@Nullable @Min(1) Integer maxConcurrent, @Min(0) @DefaultValue("1000") int maxQueued) {

	int maxConcurrentOrDefault(int threadsPerCall) {
		if (this.maxConcurrent != null) {
			return this.maxConcurrent;
		}
		int fittingCalls = Runtime.getRuntime().availableProcessors() / threadsPerCall;
		// One more thread keeps a CPU busy while the next call's thread wakes up.
		return (fittingCalls > 1) ? fittingCalls + 1 : 1;
	}

}
