package inference.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * The golden examples that an ONNX file carries in its own metadata, so that they never
 * outlive the model: under the key {@value #KEY}, a JSON array of objects with
 * {@code inputs} and {@code outputs}, each tensor by its name as nested arrays, and a
 * {@code tolerance}.
 */
final class OnnxExamples {

	static final String KEY = "examples";

	private static final double TOLERANCE = 1e-3;

	private OnnxExamples() {
	}

	/**
	 * Reads the examples.
	 * @param json the metadata's value, {@code null} for none
	 * @param signature what the tensors' types are taken from
	 * @throws IllegalArgumentException if they do not fit the signature
	 */
	static List<Example> read(@Nullable String json, Signature signature) {
		List<Example> examples = new ArrayList<>();
		if (json == null) {
			return examples;
		}
		try {
			for (JsonNode example : JsonMapper.shared().readTree(json)) {
				examples.add(new Example(tensors(example.required("inputs"), signature.inputs()),
						tensors(example.required("outputs"), signature.outputs()),
						example.path("tolerance").asDouble(TOLERANCE)));
			}
		}
		catch (JacksonException ex) {
			throw new IllegalArgumentException(
					"its metadata '%s' is not as expected: %s".formatted(KEY, ex.getOriginalMessage()), ex);
		}
		return examples;
	}

	private static Map<String, Tensor> tensors(JsonNode tensors, List<TensorSpec> specs) {
		Map<String, Tensor> read = new LinkedHashMap<>();
		for (TensorSpec spec : specs) {
			JsonNode values = tensors.get(spec.name());
			if (values != null) {
				read.put(spec.name(), tensor(spec, values));
			}
		}
		if (read.size() != tensors.size()) {
			throw new IllegalArgumentException(
					"its metadata '%s' names %s, but the model has %s".formatted(KEY, tensors.propertyNames(), specs));
		}
		return read;
	}

	private static Tensor tensor(TensorSpec spec, JsonNode values) {
		List<Long> dimensions = new ArrayList<>();
		for (JsonNode level = values; level.isArray(); level = level.path(0)) {
			dimensions.add((long) level.size());
		}
		List<JsonNode> elements = new ArrayList<>();
		flatten(values, elements);
		Shape shape = Shape.of(dimensions.stream().mapToLong(Long::longValue).toArray());
		if (spec.dataType() == DataType.BYTES) {
			return Tensor.ofStrings(shape, elements.stream().map(JsonNode::asString).toList());
		}
		ByteBuffer contents = ByteBuffer.allocate(elements.size() * spec.dataType().width())
			.order(ByteOrder.LITTLE_ENDIAN);
		elements.forEach((element) -> put(contents, spec.dataType(), element));
		return Tensor.of(spec.dataType(), shape, contents.flip());
	}

	private static void flatten(JsonNode values, List<JsonNode> elements) {
		if (values.isArray()) {
			values.forEach((value) -> flatten(value, elements));
		}
		else {
			elements.add(values);
		}
	}

	private static void put(ByteBuffer contents, DataType dataType, JsonNode element) {
		switch (dataType) {
			case BOOL -> contents.put((byte) (element.asBoolean() ? 1 : 0));
			case INT8, UINT8 -> contents.put((byte) element.asInt());
			case INT16, UINT16 -> contents.putShort((short) element.asInt());
			case INT32, UINT32 -> contents.putInt((int) element.asLong());
			case INT64 -> contents.putLong(element.asLong());
			case UINT64 -> contents.putLong(element.bigIntegerValue().longValue());
			case FP32 -> contents.putFloat(element.floatValue());
			case FP64 -> contents.putDouble(element.doubleValue());
			case FP16 -> contents.putShort(Float.floatToFloat16(element.floatValue()));
			case BF16 -> contents.putShort((short) (Float.floatToIntBits(element.floatValue()) >>> Short.SIZE));
			case BYTES -> throw new IllegalStateException("read elsewhere. This is a bug.");
		}
	}

}
