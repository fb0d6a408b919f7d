package com.acme.fraud;

import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.springframework.stereotype.Component;

import inference.model.DataType;
import inference.model.Example;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * A company's model: the larger the amount, the more likely the fraud.
 */
@Component
class FraudModel implements Model {

	@Override
	public Signature signature() {
		return new Signature(List.of(new TensorSpec("amount", DataType.FP32, Shape.of(-1))),
				List.of(new TensorSpec("score", DataType.FP32, Shape.of(-1))));
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		float[] amounts = Objects.requireNonNull(inputs.get("amount")).floats();
		float[] scores = new float[amounts.length];
		for (int i = 0; i < amounts.length; i++) {
			scores[i] = Math.clamp(amounts[i] / 1000, 0f, 1f);
		}
		return Map.of("score", Tensor.ofFloats(Shape.of(scores.length), scores));
	}

	@Override
	public List<Example> examples() {
		return List.of(new Example(Map.of("amount", Tensor.ofFloats(Shape.of(1), 500)),
				Map.of("score", Tensor.ofFloats(Shape.of(1), 0.5f)), 1e-6));
	}

}
