package inference.web;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import inference.model.DataType;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.TensorSpec;

class CodecWarmUpTests {

	@Test
	void leavesOutInputsThatTakeLongToEncode() throws IOException {
		var x = new TensorSpec("x", DataType.FP32, Shape.of(1, 3, 1000, 1000));
		var signature = new Signature(List.of(x), List.of(x));
		var properties = new ModelProperties("test", "1", "", 1, "cpu", List.of(), List.of());
		new CodecWarmUp(properties).run(signature, signature.zeros(1, 1), (inputs) -> {
			throw new AssertionError("The model ran on " + Map.copyOf(inputs));
		});
	}

}
