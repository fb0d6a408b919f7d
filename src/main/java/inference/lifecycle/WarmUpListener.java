package inference.lifecycle;

import java.util.Map;
import java.util.function.UnaryOperator;

import inference.model.ModelMetadata;
import inference.model.Tensor;

/**
 * A bean that the model's warm-up calls. Packages that use the lifecycle implement it to
 * learn about the model before the first request.
 */
public interface WarmUpListener {

	/**
	 * Called once, after the examples have run, even if the model accepts no warm-up
	 * input.
	 * @param modelFunction runs the model and checks its outputs
	 */
	default void beforeTimedRuns(ModelMetadata metadata, UnaryOperator<Map<String, Tensor>> modelFunction) {
	}

	/** Called after each timed run of the warm-up. */
	default void afterTimedRun(long runNanos) {
	}

}
