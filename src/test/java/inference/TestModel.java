package inference;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

import inference.model.DataType;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * A model for tests of the server. It adds up each row of {@code x} and says which of the
 * two values is larger. A row that begins with 400, 500 or 600 makes it refuse the input,
 * fail, or return NaN.
 */
public class TestModel implements Model {

	static final Signature SIGNATURE = new Signature(List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 2))),
			List.of(new TensorSpec("sum", DataType.FP32, Shape.of(-1)),
					new TensorSpec("larger", DataType.BYTES, Shape.of(-1))));

	public TestModel() {
	}

	public TestModel(CountDownLatch loaded) {
		try {
			loaded.await();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public Signature signature() {
		return SIGNATURE;
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		Tensor x = inputs.get("x");
		if (x == null) {
			throw new IllegalStateException("no x");
		}
		float[] values = x.floats();
		float[] sums = new float[values.length / 2];
		List<String> larger = new ArrayList<>();
		for (int row = 0; row < sums.length; row++) {
			float first = values[2 * row];
			float second = values[2 * row + 1];
			if (first == 400) {
				throw new IllegalArgumentException("400 is not a number this model likes");
			}
			if (first == 500) {
				throw new IllegalStateException("the model broke on 500");
			}
			sums[row] = (first == 600) ? Float.NaN : first + second;
			larger.add((first > second) ? "first" : "second");
		}
		Map<String, Tensor> outputs = new LinkedHashMap<>();
		outputs.put("sum", Tensor.ofFloats(Shape.of(sums.length), sums));
		outputs.put("larger", Tensor.ofStrings(Shape.of(sums.length), larger));
		return outputs;
	}

}
