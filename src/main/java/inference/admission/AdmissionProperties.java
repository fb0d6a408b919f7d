package inference.admission;

import java.time.Duration;

import jakarta.validation.Valid;
import jakarta.validation.constraints.Min;
import org.hibernate.validator.constraints.time.DurationMin;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * How many calls are let in, and how long each may take.
 *
 * @param deadline from a request's arrival to its answer; below the 5 seconds after which
 * EAS clients give up
 * @param admission how many calls are let in
 * @param batching whether requests are run together
 */
@Validated
@ConfigurationProperties("inference")
public record AdmissionProperties(@DurationMin(millis = 1) @DefaultValue("4s") Duration deadline,
		@Valid @DefaultValue Limits admission, @Valid @DefaultValue Batching batching) {

	/**
	 * How many calls are let in.
	 *
	 * @param maxConcurrent calls inside the model at once; by default as many as the CPUs
	 * can run, each with {@code inference.model.threads}, and where that is several, one
	 * more
	 * @param maxQueued calls that wait for a slot; one more is refused with 429, as is
	 * one that could not be answered before its deadline
	 */
	public record Limits(@Nullable @Min(1) Integer maxConcurrent, @Min(0) @DefaultValue("1000") int maxQueued) {

		int maxConcurrent(int threads) {
			if (this.maxConcurrent != null) {
				return this.maxConcurrent;
			}
			int fitting = Runtime.getRuntime().availableProcessors() / threads;
			// A CPU whose call has returned would idle until the next one's thread is
			// awake
			return (fitting > 1) ? fitting + 1 : 1;
		}

	}

	/**
	 * Batching of requests. It is off by default, because the rows of some models
	 * influence each other.
	 *
	 * @param maxSize the most rows of different requests that run together; 1 for none. A
	 * larger value is used only if warm-up finds no rows that influence each other
	 * @param maxDelay how long a call that could run waits for others to join it
	 */
	public record Batching(@Min(1) @DefaultValue("1") int maxSize, @DurationMin @DefaultValue("0s") Duration maxDelay) {
	}

}
