package inference;

import java.util.Map;

import inference.model.Model;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * A model that can become another between two requests, so that one server serves all the
 * models of a test.
 */
final class SwappableModel implements Model {

	private volatile Model current;

	SwappableModel(Model first) {
		this.current = first;
	}

	void become(Model next) {
		this.current = next;
	}

	@Override
	public Signature signature() {
		return this.current.signature();
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		return this.current.infer(inputs);
	}

}
