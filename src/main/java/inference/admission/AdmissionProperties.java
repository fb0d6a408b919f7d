package inference.admission;

import jakarta.validation.constraints.Max;
import jakarta.validation.constraints.Min;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The limits of running and of queued calls.
 *
 * @param maxConcurrent the number of model threads, each of which runs one call or one
 * batch at a time, 1 to 1000. A call takes {@code inference.model.threads} CPUs. The
 * default is one more than the number of calls that the CPUs can run at once, or 1 if
 * they can run only one
 * @param maxQueued the most calls that wait for a model thread. A further call is
 * rejected with 429, and so is a call that is predicted to miss its deadline
 */
@Validated
@ConfigurationProperties(prefix = "inference.admission", ignoreUnknownFields = false)
record AdmissionProperties(@Nullable @Min(1) @Max(1000) Integer maxConcurrent,
		@Min(0) @DefaultValue("1000") int maxQueued) {

	int maxConcurrentOrDefault(int threadsPerCall) {
		if (this.maxConcurrent != null) {
			return this.maxConcurrent;
		}
		int callsOnCpus = Runtime.getRuntime().availableProcessors() / threadsPerCall;
		// An additional model thread keeps a CPU busy while another thread wakes up.
		return (callsOnCpus > 1) ? callsOnCpus + 1 : 1;
	}

}
