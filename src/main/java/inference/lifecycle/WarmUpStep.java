package inference.lifecycle;

import java.io.IOException;
import java.util.Map;
import java.util.function.UnaryOperator;

import inference.model.ModelMetadata;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * Code that is warmed up together with the model, such as the codecs. Packages that the
 * lifecycle must not depend on provide it as a bean.
 */
public interface WarmUpStep {

	/**
	 * Called once, after the examples have run, even if the model accepts no warm-up
	 * input.
	 * @param metadata the model's signature and its golden examples
	 * @param model runs the model and checks its outputs
	 */
	default void prepare(ModelMetadata metadata, UnaryOperator<Map<String, Tensor>> model) {
	}

	/**
	 * Runs once after each run of the model.
	 * @param signature the model's signature
	 * @param inputs inputs that the model accepts
	 * @param model runs the model and checks its outputs
	 * @throws IOException if the step cannot read what it wrote
	 */
	default void run(Signature signature, Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model)
			throws IOException {
	}

}
