package inference.grpc;

import java.util.Map;
import java.util.Objects;

import inference.TestModel;
import inference.model.Gate;
import inference.model.Tensor;

/**
 * A model whose calls wait at a gate if their first number is 7.
 */
final class HeldModel extends TestModel {

	private final Gate gate;

	HeldModel(Gate gate) {
		this.gate = gate;
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		if (Objects.requireNonNull(inputs.get("x")).floats()[0] == 7) {
			this.gate.pass();
		}
		return super.infer(inputs);
	}

}
