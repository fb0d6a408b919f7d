package inference.protocol;

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
 * The JSON of every body: strict, and bounded before anything is allocated. How long a
 * body may be is checked before it gets here.
 */
final class Json {

	// Deeper than any tensor ONNX Runtime's Java API takes, with the objects around it.
	private static final int NESTING = 16;

	private static final JsonFactory FACTORY = JsonFactory.builder()
		.streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(NESTING).maxNameLength(1000).build())
		.enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
		.enable(StreamWriteFeature.USE_FAST_DOUBLE_WRITER)
		.build();

	private Json() {
	}

	/**
	 * Whether a text is not one of the other encodings that a parser would detect, in
	 * which places are not counted in bytes.
	 */
	static boolean isUtf8(byte[] json) {
		return json.length < 2 || (json[0] != 0 && json[1] != 0 && (json[0] & 0xFE) != 0xFE);
	}

	static JsonParser parser(byte[] json, int offset) {
		return FACTORY.createParser(ObjectReadContext.empty(), json, offset, json.length - offset);
	}

	static JsonGenerator generator(JsonBody body) {
		return FACTORY.createGenerator(ObjectWriteContext.empty(), body);
	}

	/**
	 * Goes to the value of an object's next member. One that is null is as good as none.
	 * @return the member's name, or {@code null} at the object's end
	 */
	static @Nullable String member(JsonParser parser) {
		String name = parser.nextName();
		while (name != null && parser.nextToken() == JsonToken.VALUE_NULL) {
			name = parser.nextName();
		}
		return name;
	}

	/** Where the current token begins in the bytes the parser was made for. */
	static int offset(JsonParser parser) {
		return Math.toIntExact(parser.currentTokenLocation().getByteOffset());
	}

	/** Where the next token begins, from a place between two on, or the text's end. */
	static int skipSpace(byte[] json, int offset) {
		int next = offset;
		while (next < json.length
				&& (json[next] == ' ' || json[next] == '\n' || json[next] == '\r' || json[next] == '\t')) {
			next++;
		}
		return next;
	}

	static String text(JsonParser parser, String what) {
		if (parser.currentToken() != JsonToken.VALUE_STRING) {
			throw RequestException.bad("%s must be a string.".formatted(what));
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
			throw RequestException.bad("\"parameters\" must be an object.");
		}
		Map<String, Object> parameters = new HashMap<>();
		for (String name = parser.nextName(); name != null; name = parser.nextName()) {
			switch (parser.nextToken()) {
				case VALUE_STRING -> parameters.put(name, parser.getString());
				case VALUE_TRUE -> parameters.put(name, true);
				case VALUE_FALSE -> parameters.put(name, false);
				case VALUE_NUMBER_INT -> parameters.put(name, integer(parser));
				case VALUE_NUMBER_FLOAT -> parameters.put(name, parser.getDoubleValue());
				default -> throw RequestException.bad("Parameter '%s' must be a string, a number or a boolean."
					.formatted(RequestException.excerpt(name)));
			}
		}
		return parameters;
	}

	static ByteBuffer buffer(int bytes) {
		return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
	}

	/**
	 * A tensor of bytes that a client sent.
	 * @throws RequestException if they are not exactly the shape's elements
	 */
	static Tensor tensor(TensorSpec spec, Shape shape, ByteBuffer contents) {
		try {
			return Tensor.of(spec.dataType(), shape, contents);
		}
		catch (IllegalArgumentException ex) {
			throw RequestException.bad("Input '%s': %s.".formatted(spec.name(), ex.getMessage()));
		}
	}

}
