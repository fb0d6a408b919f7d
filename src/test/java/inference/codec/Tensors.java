package inference.codec;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;

import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.JsonNodeFactory;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

/**
 * Makes random tensors, and converts tensors to and from JSON without the server's code.
 */
final class Tensors {

	static final JsonMapper JSON = JsonMapper.builder()
		.enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
		.disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
		.enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS, DeserializationFeature.USE_BIG_INTEGER_FOR_INTS,
				DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
		.build();

	private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

	private static final String[] TEXTS = { "", "a", "größer", "🌸🌸", "\u0000\n\"\\", "?", "x".repeat(300) };

	private Tensors() {
	}

	/**
	 * A tensor of random and of extreme elements.
	 * @param asJson whether to leave out elements that JSON cannot carry
	 * @param base64 whether JSON can carry bytes that are not UTF-8
	 */
	static Tensor random(DataType dataType, Shape shape, boolean asJson, boolean base64, Random random) {
		List<byte[]> elements = new ArrayList<>();
		for (long i = shape.elementCount(); i > 0; i--) {
			byte[] element = element(dataType, random);
			while (asJson && !isExactInJson(dataType, element, base64)) {
				element = element(dataType, random);
			}
			elements.add(element);
		}
		return of(dataType, shape, elements);
	}

	static JsonNode flat(Tensor tensor) {
		ArrayNode array = NODES.arrayNode();
		elements(tensor).forEach((element) -> array.add(toJson(tensor.dataType(), element)));
		return array;
	}

	static JsonNode nested(Tensor tensor) {
		return nested(tensor, elements(tensor), 0, 0);
	}

	static Tensor read(DataType dataType, Shape shape, JsonNode json) {
		List<byte[]> elements = new ArrayList<>();
		collect(dataType, json, elements);
		return of(dataType, shape, elements);
	}

	private static JsonNode nested(Tensor tensor, List<byte[]> elements, int depth, int start) {
		Shape shape = tensor.shape();
		if (depth == shape.rank()) {
			return toJson(tensor.dataType(), elements.get(start));
		}
		int stride = 1;
		for (int i = depth + 1; i < shape.rank(); i++) {
			stride *= (int) shape.dimension(i);
		}
		ArrayNode array = NODES.arrayNode();
		for (int i = 0; i < shape.dimension(depth); i++) {
			array.add(nested(tensor, elements, depth + 1, start + i * stride));
		}
		return array;
	}

	private static void collect(DataType dataType, JsonNode json, List<byte[]> elements) {
		if (json.isArray()) {
			json.forEach((inner) -> collect(dataType, inner, elements));
		}
		else {
			elements.add(fromJson(dataType, json));
		}
	}

	private static JsonNode toJson(DataType dataType, byte[] element) {
		ByteBuffer bytes = Tensor.allocate(8).put(element.length <= 8 ? element : new byte[0]).rewind();
		return switch (dataType) {
			case BOOL -> NODES.booleanNode(element[0] != 0);
			case INT8, INT16, INT32, INT64 -> NODES.numberNode(new BigInteger(reversed(element)));
			case UINT8, UINT16, UINT32, UINT64 -> NODES.numberNode(new BigInteger(1, reversed(element)));
			case FP32 -> NODES.numberNode(bytes.getFloat());
			case FP64 -> NODES.numberNode(bytes.getDouble());
			case BYTES -> isText(element) ? NODES.stringNode(new String(element, StandardCharsets.UTF_8))
					: NODES.objectNode().put("b64", Base64.getEncoder().encodeToString(element));
			case FP16 -> NODES.numberNode(Float.float16ToFloat(bytes.getShort()));
			case BF16 -> NODES.numberNode(Float.intBitsToFloat(bytes.getShort() << 16));
		};
	}

	private static byte[] fromJson(DataType dataType, JsonNode json) {
		ByteBuffer bytes = Tensor.allocate(8);
		switch (dataType) {
			case BOOL -> bytes.put((byte) (json.booleanValue() ? 1 : 0));
			case FP16 -> bytes.putShort(Float.floatToFloat16(Float.parseFloat(json.asString())));
			case BF16 -> bytes.putShort((short) (Float.floatToIntBits(Float.parseFloat(json.asString())) >> 16));
			case FP32 -> bytes.putFloat(Float.parseFloat(json.asString()));
			case FP64 -> bytes.putDouble(Double.parseDouble(json.asString()));
			case BYTES -> {
				return json.isString() ? json.stringValue().getBytes(StandardCharsets.UTF_8)
						: Base64.getDecoder().decode(json.get("b64").stringValue());
			}
			default -> bytes.putLong(json.bigIntegerValue().longValue());
		}
		byte[] element = new byte[dataType.width()];
		bytes.rewind().get(element);
		return element;
	}

	private static byte[] element(DataType dataType, Random random) {
		if (dataType == DataType.BYTES) {
			byte[] bytes = new byte[random.nextInt(12)];
			random.nextBytes(bytes);
			return random.nextBoolean() ? bytes : TEXTS[random.nextInt(TEXTS.length)].getBytes(StandardCharsets.UTF_8);
		}
		byte[] element = new byte[dataType.width()];
		switch (random.nextInt(5)) {
			case 0 -> Arrays.fill(element, (byte) -1);
			case 3 -> special(dataType, element, random);
			case 1 -> element[element.length - 1] = (byte) (1 << random.nextInt(8));
			case 2 -> element[0] = (byte) random.nextInt();
			default -> random.nextBytes(element);
		}
		if (dataType == DataType.BOOL) {
			element[0] &= 1;
		}
		return element;
	}

	private static void special(DataType dataType, byte[] element, Random random) {
		float value = (random.nextBoolean() ? Float.NaN : Float.POSITIVE_INFINITY) * (random.nextBoolean() ? 1 : -1);
		ByteBuffer bytes = ByteBuffer.wrap(element).order(ByteOrder.LITTLE_ENDIAN);
		switch (dataType) {
			case FP16 -> bytes.putShort(Float.floatToFloat16(value));
			case BF16 -> bytes.putShort((short) (Float.floatToIntBits(value) >> 16));
			case FP32 -> bytes.putFloat(value);
			case FP64 -> bytes.putDouble(value);
			default -> random.nextBytes(element);
		}
	}

	// In JSON, all NaNs are the same, and the test reads -0 as 0.
	private static boolean isExactInJson(DataType dataType, byte[] element, boolean base64) {
		ByteBuffer bytes = Tensor.allocate(8).put(element.length <= 8 ? element : new byte[0]).rewind();
		return switch (dataType) {
			case FP16 -> isExact(Float.float16ToFloat(bytes.getShort(0)), bytes.getShort(0) == 0x7E00);
			case BF16 -> isExact(Float.intBitsToFloat(bytes.getShort(0) << 16), bytes.getShort(0) == 0x7FC0);
			case FP32 -> isExact(bytes.getFloat(0), bytes.getInt(0) == 0x7FC00000);
			case FP64 -> isExact(bytes.getDouble(0), bytes.getLong(0) == 0x7FF8000000000000L);
			case BYTES -> base64 || isText(element);
			default -> true;
		};
	}

	private static boolean isExact(double value, boolean isUsualNan) {
		return Double.isNaN(value) ? isUsualNan : !(value == 0 && 1 / value < 0);
	}

	private static boolean isText(byte[] element) {
		return Arrays.equals(new String(element, StandardCharsets.UTF_8).getBytes(StandardCharsets.UTF_8), element);
	}

	private static Tensor of(DataType dataType, Shape shape, List<byte[]> elements) {
		ByteBuffer contents = Tensor.allocate(elements.stream().mapToInt((element) -> 4 + element.length).sum());
		for (byte[] element : elements) {
			if (dataType == DataType.BYTES) {
				contents.putInt(element.length);
			}
			contents.put(element);
		}
		return Tensor.of(dataType, shape, contents.flip());
	}

	private static List<byte[]> elements(Tensor tensor) {
		List<byte[]> elements = new ArrayList<>();
		for (ByteBuffer rest = tensor.contents(); rest.hasRemaining();) {
			byte[] element = new byte[(tensor.dataType() == DataType.BYTES) ? rest.getInt()
					: tensor.dataType().width()];
			rest.get(element);
			elements.add(element);
		}
		return elements;
	}

	private static byte[] reversed(byte[] element) {
		byte[] reversed = new byte[element.length];
		for (int i = 0; i < element.length; i++) {
			reversed[i] = element[element.length - 1 - i];
		}
		return reversed;
	}

}
