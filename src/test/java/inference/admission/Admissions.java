package inference.admission;

import java.time.Duration;
import java.util.function.Consumer;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;

import inference.lifecycle.ModelLifecycle;
import inference.model.ModelProperties;

import static org.assertj.core.api.Assertions.assertThat;

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
		return of(lifecycle, model, new AdmissionProperties(1, 10), new BatchingProperties(1, Duration.ZERO),
				statistics);
	}

	/**
	 * Admission with limits of its own and a deadline of ten seconds.
	 */
	static Admission of(ModelLifecycle lifecycle, ModelProperties model, AdmissionProperties properties,
			BatchingProperties batching, Statistics statistics) {
		return new Admission(lifecycle, model, properties, new DeadlineProperties(Duration.ofSeconds(10)),
				new Batching(batching, statistics), statistics);
	}

	/**
	 * A request's share of a memory that is large enough, with ten seconds to its
	 * deadline.
	 */
	public static Reservation reservation() {
		return new Reservation(new MemoryBudget(Long.MAX_VALUE / 2), Deadline.in(Duration.ofSeconds(10)));
	}

	/** A check that a rejection is of a kind. */
	static Consumer<Rejection> isOf(Rejection.Kind kind) {
		return (rejection) -> assertThat(rejection.kind()).isEqualTo(kind);
	}

	/** A check that an exception's cause is a rejection of a kind. */
	static Consumer<Throwable> isCausedBy(Rejection.Kind kind) {
		return (failure) -> assertThat(failure.getCause()).isInstanceOfSatisfying(Rejection.class, isOf(kind));
	}

}
