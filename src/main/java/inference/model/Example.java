package inference.model;

import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * A golden example: inputs, and the outputs that the model must give for them.
 *
 * @param inputs a tensor for each input of the signature
 * @param outputs the expected tensors of some or all outputs
 * @param tolerance the allowed difference of floating point numbers, as a fraction of the
 * expected number's absolute value, or of 1 if that is larger
 */
public record Example(Map<String, Tensor> inputs, Map<String, Tensor> outputs, double tolerance) {

	/** The key of the examples in the metadata of an ONNX file. */
	static final String METADATA_KEY = "inference.examples";

	private static final double DEFAULT_TOLERANCE = 1e-3;

	private static final JsonMapper JSON_MAPPER = JsonMapper.builder()
		.enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
		.build();

	public Example {
		inputs = Map.copyOf(inputs);
		outputs = Map.copyOf(outputs);
	}

	/**
	 * Compares the outputs of a call with the expected ones.
	 * @param actual the model's outputs
	 * @return the first difference as a clause, or {@code null} if there is none
	 */
	public @Nullable String difference(Map<String, Tensor> actual) {
		for (Map.Entry<String, Tensor> expectedOutput : this.outputs.entrySet()) {
			String difference = TensorComparison.difference(expectedOutput.getValue(),
					actual.get(expectedOutput.getKey()), this.tolerance, 1);
			if (difference != null) {
				return "output '%s' %s".formatted(expectedOutput.getKey(), difference);
			}
		}
		return null;
	}

	/**
	 * Reads examples from JSON: an array of objects with the members {@code inputs},
	 * {@code outputs} and optionally {@code tolerance}. Each of {@code inputs} and
	 * {@code outputs} maps names to tensors. A tensor is a nested array, or one value if
	 * it is a scalar.
	 * @param examplesJson the value of {@link #METADATA_KEY}
	 * @param signature the inputs and outputs of the model
	 * @throws IllegalArgumentException if the JSON is not valid, names an unknown tensor,
	 * has rows of different lengths, a value that the data type cannot hold, or inputs
	 * that do not fit the signature
	 */
	static List<Example> read(String examplesJson, Signature signature) {
		return read(examplesJson, (example) -> {
			Map<String, Tensor> inputs = tensors(example.required("inputs"), signature.inputs());
			if (!signature.acceptsInputs(inputs)) {
				throw new IllegalArgumentException(
						"an example has the inputs %s, but the model takes %s".formatted(inputs, signature.inputs()));
			}
			return new Example(inputs, tensors(example.required("outputs"), signature.outputs()),
					example.path("tolerance").asDouble(DEFAULT_TOLERANCE));
		});
	}

	/**
	 * Reads only the inputs of the examples, before the model's outputs are known.
	 * @param examplesJson the value of {@link #METADATA_KEY}
	 * @param inputs the model's inputs, of which only names and data types are used
	 * @throws IllegalArgumentException if the JSON is not valid or names an unknown input
	 */
	static List<Map<String, Tensor>> readInputs(String examplesJson, List<TensorSpec> inputs) {
		return read(examplesJson, (example) -> tensors(example.required("inputs"), inputs));
	}

	private static <T> List<T> read(String examplesJson, Function<JsonNode, T> reader) {
		try {
			JsonNode examples = JSON_MAPPER.readTree(examplesJson);
			if (!examples.isArray()) {
				throw new IllegalArgumentException("it is not an array");
			}
			return examples.valueStream().map(reader).toList();
		}
		catch (JacksonException | IllegalArgumentException ex) {
			String reason = (ex instanceof JacksonException jsonFailure) ? jsonFailure.getOriginalMessage()
					: ex.getMessage();
			throw new IllegalArgumentException(
					"its metadata '%s' is not as expected: %s".formatted(METADATA_KEY, reason), ex);
		}
	}

	private static Map<String, Tensor> tensors(JsonNode arraysByName, List<TensorSpec> specs) {
		Map<String, Tensor> tensorsByName = new LinkedHashMap<>();
		for (TensorSpec spec : specs) {
			JsonNode array = arraysByName.get(spec.name());
			if (array != null) {
				tensorsByName.put(spec.name(), tensor(spec.dataType(), array));
			}
		}
		if (tensorsByName.size() != arraysByName.size()) {
			throw new IllegalArgumentException(
					"an example names %s, but the model has %s".formatted(arraysByName.propertyNames(), specs));
		}
		return tensorsByName;
	}

	private static Tensor tensor(DataType dataType, JsonNode array) {
		List<JsonNode> elements = List.of(array);
		List<Long> dimensions = new ArrayList<>();
		for (JsonNode level = array; level.isArray(); level = level.path(0)) {
			int length = level.size();
			if (elements.stream().anyMatch((element) -> element.size() != length)) {
				throw new IllegalArgumentException("an array has rows of different lengths");
			}
			dimensions.add((long) length);
			elements = elements.stream().flatMap(JsonNode::valueStream).toList();
		}
		Shape shape = Shape.of(dimensions.stream().mapToLong(Long::longValue).toArray());
		if (dataType == DataType.BYTES) {
			return Tensor.ofStrings(shape, elements.stream().map(JsonNode::asString).toList());
		}
		ByteBuffer contents = Tensor.allocate(elements.size() * dataType.width());
		elements.forEach((element) -> putExactly(dataType, contents, element));
		return Tensor.of(dataType, shape, contents.flip());
	}

	// A floating point type may round a value. Any other change would weaken the example,
	// so it is refused.
	private static void putExactly(DataType dataType, ByteBuffer contents, JsonNode element) {
		Number value = element.isBoolean() ? (element.booleanValue() ? 1 : 0) : element.numberValue();
		int position = contents.position();
		dataType.put(contents, value);
		Number stored = dataType.get(contents, position);
		boolean isRepresentable = switch (stored) {
			case Float _, Double _ -> Double.isFinite(stored.doubleValue()) == Double.isFinite(value.doubleValue());
			default -> new BigDecimal(value.toString()).compareTo(new BigDecimal(stored.toString())) == 0;
		};
		if (!isRepresentable) {
			throw new IllegalArgumentException("%s cannot hold the value %s".formatted(dataType, element));
		}
	}

}
