package inference.lifecycle;

import java.io.IOException;
import java.util.Map;
import java.util.function.UnaryOperator;

import inference.model.Signature;
import inference.model.Tensor;

/**
 * What surrounds the model on a request's way, so that warm-up can take the whole way: a
 * room that the lifecycle does not know implements it.
 */
@FunctionalInterface
public interface Rehearsal {

	/**
	 * Sends input through everything a request goes through.
	 * @param signature the model's
	 * @param inputs what to send
	 * @param model runs the model
	 */
	void rehearse(Signature signature, Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model)
			throws IOException;

}
