package inference.admission;

import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The number of calls that run and that wait.
 *
 * @param maxConcurrent the most calls inside the model; by default as many as the CPUs
 * can run, each with {@code inference.model.threads}, and one more where that is several
 * @param maxQueued the most calls that wait for a model thread; one more is rejected with
 * 429, as is a call that could not be answered before its deadline
 */
@Validated
@ConfigurationProperties(prefix = "inference.admission", ignoreUnknownFields = false)
record AdmissionProperties(@Nullable @Min(1) Integer maxConcurrent, @Min(0) @DefaultValue("1000") int maxQueued) {

	int maxConcurrent(int threads) {
		if (this.maxConcurrent != null) {
			return this.maxConcurrent;
		}
		int fitting = Runtime.getRuntime().availableProcessors() / threads;
		// One more, because a CPU would idle until the thread of the next call is awake.
		return (fitting > 1) ? fitting + 1 : 1;
	}

}
