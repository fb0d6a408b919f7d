package inference.web;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import inference.model.DataType;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * A model of any signature that returns every input {@code x} as {@code same-x}.
 *
 * @param signature the inputs and outputs
 */
record Identity(Signature signature) implements Model {

	private static final Pattern TENSOR = Pattern.compile("(\\S+) (\\w+) \\[([-\\d,]*)]");

	/**
	 * A model of the given inputs, written as the server writes them in its errors:
	 * {@code a INT64 [-1], b FP32 [-1,2]}.
	 */
	static Identity of(String inputs) {
		List<TensorSpec> inputSpecs = new ArrayList<>();
		List<TensorSpec> outputSpecs = new ArrayList<>();
		for (Matcher tensor = TENSOR.matcher(inputs); tensor.find();) {
			long[] dimensions = Arrays.stream(tensor.group(3).split(",", -1))
				.filter((dimension) -> !dimension.isEmpty())
				.mapToLong(Long::parseLong)
				.toArray();
			DataType dataType = DataType.valueOf(tensor.group(2));
			inputSpecs.add(new TensorSpec(tensor.group(1), dataType, Shape.of(dimensions)));
			outputSpecs.add(new TensorSpec("same-" + tensor.group(1), dataType, Shape.of(dimensions)));
		}
		return new Identity(new Signature(inputSpecs, outputSpecs));
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		Map<String, Tensor> outputs = new LinkedHashMap<>();
		for (TensorSpec input : this.signature.inputs()) {
			outputs.put("same-" + input.name(), Objects.requireNonNull(inputs.get(input.name())));
		}
		return outputs;
	}

}
