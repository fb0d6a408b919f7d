package inference.lifecycle;

import java.io.IOException;
import java.util.Map;
import java.util.function.UnaryOperator;

import inference.model.ModelMetadata;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * Something that warm-up runs together with the model, such as the codecs. A package that
 * the lifecycle does not know provides it as a bean.
 */
public interface WarmUpStep {

	/**
	 * Runs once, before the first round, even if there is no input that the model
	 * accepts.
	 * @param metadata the model's signature and its golden examples
	 * @param model runs the model and checks its outputs
	 */
	default void prepare(ModelMetadata metadata, UnaryOperator<Map<String, Tensor>> model) {
	}

	/**
	 * Runs once for each round of the warm-up.
	 * @param signature the model's signature
	 * @param inputs inputs that the model accepts
	 * @param model runs the model and checks its outputs
	 * @throws IOException if the step cannot read what it wrote
	 */
	default void run(Signature signature, Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model)
			throws IOException {
	}

}
