package inference.admission;

import java.time.Duration;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import inference.admission.AdmissionProperties.Limits;
import inference.lifecycle.ModelLifecycle;
import inference.model.ModelProperties;

/**
 * Admission without Spring around it.
 */
public final class Admissions {

	private Admissions() {
	}

	/**
	 * Threads of requests, of which one is at work at a time.
	 */
	public static RequestThreads threads() {
		return new RequestThreads(1, Duration.ofDays(1));
	}

	/**
	 * Admission to a model, one call at a time.
	 */
	public static Admission of(ModelLifecycle lifecycle, ModelProperties model) {
		return of(lifecycle, model, new Statistics(new SimpleMeterRegistry()));
	}

	/**
	 * The same, counted by somebody else.
	 */
	static Admission of(ModelLifecycle lifecycle, ModelProperties model, Statistics statistics) {
		AdmissionProperties properties = new AdmissionProperties(Duration.ofSeconds(10), new Limits(1, 10),
				new AdmissionProperties.Batching(null, Duration.ZERO));
		return new Admission(lifecycle, model, properties, new Batching(properties, new SimpleMeterRegistry()),
				statistics, threads());
	}

}
