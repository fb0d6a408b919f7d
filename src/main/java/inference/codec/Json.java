package inference.codec;

import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.ObjectWriteContext;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.StreamWriteFeature;
import tools.jackson.core.json.JsonFactory;

import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * The JSON of bodies: strict, and with bounds on its depth and its names. The length of a
 * body is bounded before.
 */
final class Json {

	// Deeper than any tensor that ONNX Runtime's Java API takes, with the objects around.
	private static final int MAX_DEPTH = 16;

	private static final JsonFactory FACTORY = JsonFactory.builder()
		.streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).maxNameLength(1000).build())
		.enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
		.disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
		.disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
		.build();

	private Json() {
	}

	/**
	 * Whether a text may be UTF-8. A parser would detect and read UTF-16 and UTF-32, too,
	 * but count places in them in other units than bytes.
	 */
	static boolean isUtf8(byte[] json) {
		return json.length < 2 || (json[0] != 0 && json[1] != 0 && (json[0] & 0xFE) != 0xFE);
	}

	static JsonParser parser(byte[] json, int offset, int end) {
		return FACTORY.createParser(ObjectReadContext.empty(), json, offset, end - offset);
	}

	/** A generator that leaves the stream open when it is closed. */
	static JsonGenerator generator(OutputStream target) {
		return FACTORY.createGenerator(ObjectWriteContext.empty(), target);
	}

	/**
	 * Goes to the value of an object's first member, from the object's start or from its
	 * first name.
	 * @return the member's name, or {@code null} if the object is empty
	 */
	static @Nullable String firstMember(JsonParser parser) {
		return switch (parser.currentToken()) {
			case PROPERTY_NAME -> valueOf(parser, parser.currentName());
			case START_OBJECT -> nextMember(parser);
			default -> null;
		};
	}

	/**
	 * Goes to the value of an object's next member. A member that is null counts as
	 * missing.
	 * @return the member's name, or {@code null} at the object's end
	 */
	static @Nullable String nextMember(JsonParser parser) {
		return valueOf(parser, parser.nextName());
	}

	private static @Nullable String valueOf(JsonParser parser, @Nullable String member) {
		String name = member;
		while (name != null && parser.nextToken() == JsonToken.VALUE_NULL) {
			name = parser.nextName();
		}
		return name;
	}

	/** Whether the current value is an object, of which the first name may be read. */
	static boolean isObject(JsonParser parser) {
		return switch (parser.currentToken()) {
			case START_OBJECT, PROPERTY_NAME, END_OBJECT -> true;
			default -> false;
		};
	}

	/** The place of the current token in the bytes that the parser was made for. */
	static int offset(JsonParser parser) {
		return Math.toIntExact(parser.currentTokenLocation().getByteOffset());
	}

	static String text(JsonParser parser, String what) {
		if (parser.currentToken() != JsonToken.VALUE_STRING) {
			throw new InvalidRequestException("%s must be a string.".formatted(what));
		}
		return parser.getString();
	}

	/** The current value as an integer, or -1 if it is none that fits a {@code long}. */
	static long integer(JsonParser parser) {
		boolean fits = parser.currentToken() == JsonToken.VALUE_NUMBER_INT
				&& parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
		return fits ? parser.getLongValue() : -1;
	}

	/** The protocol's parameters: strings, numbers and booleans by name. */
	static Map<String, Object> parameters(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_OBJECT) {
			throw new InvalidRequestException("\"parameters\" must be an object.");
		}
		Map<String, Object> parameters = new HashMap<>();
		for (String name = parser.nextName(); name != null; name = parser.nextName()) {
			switch (parser.nextToken()) {
				case VALUE_STRING -> parameters.put(name, parser.getString());
				case VALUE_TRUE -> parameters.put(name, true);
				case VALUE_FALSE -> parameters.put(name, false);
				case VALUE_NUMBER_INT -> parameters.put(name, integer(parser));
				case VALUE_NUMBER_FLOAT -> parameters.put(name, parser.getDoubleValue());
				default -> throw new InvalidRequestException("Parameter '%s' must be a string, a number or a boolean."
					.formatted(InvalidRequestException.excerpt(name)));
			}
		}
		return parameters;
	}

	static ByteBuffer buffer(int bytes) {
		return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
	}

	/**
	 * A tensor of bytes that a client sent.
	 * @throws InvalidRequestException if they are not exactly the shape's elements
	 */
	static Tensor tensor(TensorSpec spec, Shape shape, ByteBuffer contents) {
		try {
			return Tensor.of(spec.dataType(), shape, contents);
		}
		catch (IllegalArgumentException ex) {
			throw new InvalidRequestException("Input '%s': %s.".formatted(spec.name(), ex.getMessage()));
		}
	}

}
