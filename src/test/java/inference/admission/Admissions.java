package inference.admission;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;

import io.micrometer.core.instrument.MeterRegistry;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.assertj.core.api.ThrowableAssertAlternative;

import inference.lifecycle.ModelLifecycle;
import inference.model.ModelProperties;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Creates an admission without Spring, and calls it.
 */
public final class Admissions {

	static final Duration DEADLINE = Duration.ofSeconds(10);

	private Admissions() {
	}

	/**
	 * An admission with a deadline of ten seconds.
	 */
	static Admission of(ModelLifecycle lifecycle, AdmissionProperties properties, Batching batching,
			MeterRegistry meters) {
		return new Admission(lifecycle, new ModelProperties("fake", "1", "nowhere", 1, "cpu", List.of(), List.of()),
				properties, new DeadlineProperties(DEADLINE), batching, new Statistics(meters));
	}

	static Batching batching(int maxSize, Duration maxDelay, MeterRegistry meters) {
		return new Batching(new BatchingProperties(maxSize, maxDelay), new DeadlineProperties(DEADLINE),
				new Statistics(meters));
	}

	/** Runs the model for a request whose client waits as long as the server. */
	static Map<String, Tensor> infer(Admission admission, Map<String, Tensor> inputs) {
		return infer(admission, inputs, DEADLINE);
	}

	static Map<String, Tensor> infer(Admission admission, Map<String, Tensor> inputs, Duration timeout) {
		return infer(admission, inputs, timeout, () -> false);
	}

	static Map<String, Tensor> infer(Admission admission, Map<String, Tensor> inputs, Duration timeout,
			BooleanSupplier isClientGone) {
		try (Reservation reservation = admission.admit(timeout)) {
			return admission.infer(inputs, reservation, null, isClientGone, Runnable::run);
		}
	}

	/**
	 * A request's share of a memory that is large enough, with ten seconds to its
	 * deadline.
	 */
	public static Reservation reservation() {
		return new Reservation(new MemoryBudget(Long.MAX_VALUE / 2), Deadline.in(DEADLINE));
	}

	/** Checks that a request is rejected, and how. */
	static ThrowableAssertAlternative<Rejection> assertRejected(Rejection.Kind kind, ThrowingCallable request) {
		return assertThatExceptionOfType(Rejection.class).isThrownBy(request)
			.satisfies((rejection) -> assertThat(rejection.kind()).isEqualTo(kind));
	}

}
