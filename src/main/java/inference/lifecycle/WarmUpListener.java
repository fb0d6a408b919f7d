package inference.lifecycle;

import java.util.Map;
import java.util.function.UnaryOperator;

import inference.model.ModelMetadata;
import inference.model.Tensor;

/**
 * A bean that the warm-up of the model calls. With such a bean, a package that the
 * lifecycle must not depend on can prepare for the model.
 */
public interface WarmUpListener {

	/**
	 * Called once, after the examples have run, even if the model accepts no warm-up
	 * input.
	 * @param metadata the model's signature and its golden examples
	 * @param modelFunction runs the model and checks its outputs
	 */
	default void beforeTimedRuns(ModelMetadata metadata, UnaryOperator<Map<String, Tensor>> modelFunction) {
	}

	/**
	 * Called after each timed run of the warm-up.
	 * @param runNanos the time that the model took, in nanoseconds
	 */
	default void afterTimedRun(long runNanos) {
	}

}
