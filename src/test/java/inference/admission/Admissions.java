package inference.admission;

import java.time.Duration;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import inference.admission.AdmissionProperties.Limits;
import inference.lifecycle.ModelLifecycle;
import inference.model.ModelProperties;

/**
 * Creates an admission without Spring.
 */
public final class Admissions {

	private Admissions() {
	}

	/**
	 * Admission to a model, one call at a time.
	 */
	public static Admission of(ModelLifecycle lifecycle, ModelProperties model) {
		return of(lifecycle, model, new Statistics(new SimpleMeterRegistry()));
	}

	/**
	 * Admission to a model, one call at a time, with its statistics.
	 */
	static Admission of(ModelLifecycle lifecycle, ModelProperties model, Statistics statistics) {
		AdmissionProperties properties = new AdmissionProperties(Duration.ofSeconds(10), new Limits(1, 10),
				new AdmissionProperties.Batching(1, Duration.ZERO));
		return new Admission(lifecycle, model, properties, new Batching(properties, new SimpleMeterRegistry()),
				statistics);
	}

	/**
	 * A request's share of a memory that is large enough, with ten seconds to its
	 * deadline.
	 */
	public static Reservation reservation() {
		return new Reservation(new MemoryBudget(Long.MAX_VALUE / 2),
				Deadline.in(Duration.ofSeconds(10), System.nanoTime()));
	}

}
