package inference.codec;

import java.io.OutputStream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

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
import tools.jackson.core.json.JsonReadFeature;

import inference.model.Signature;

import static inference.codec.InvalidRequestException.require;

/**
 * Jackson's parser and generator as this package configures them. The JSON is strict,
 * except that {@code NaN} and the infinities are allowed as numbers. TensorFlow Serving
 * and Python's json module allow them, too.
 */
final class Json {

	/** The greatest nesting depth of arrays and objects in a body. */
	static final int MAX_DEPTH = 16;

	// Limits the memory for member names, which are kept until their object ends.
	private static final int MAX_MEMBERS = 100;

	// Triton uses these parameters for classification, shared memory and stateful models.
	private static final List<String> UNSUPPORTED_PARAMETERS = List.of("classification", "shared_memory_region",
			"shared_memory_offset", "shared_memory_byte_size", "sequence_id", "sequence_start", "sequence_end");

	// With these values, an unsupported parameter asks for nothing.
	private static final Set<String> HARMLESS_VALUES = Set.of("0", "-0", "false", "\"\"");

	// The longest member name, id or parameter, in chars. If the model takes no texts, no
	// string may be longer.
	private static final int MAX_STRING_LENGTH = 1000;

	private static final StreamReadConstraints CONSTRAINTS = StreamReadConstraints.builder()
		.maxNestingDepth(MAX_DEPTH)
		.maxNameLength(MAX_STRING_LENGTH)
		.build();

	private static final JsonFactory FACTORY = JsonFactory.builder()
		.streamReadConstraints(CONSTRAINTS)
		.enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
		.enable(StreamReadFeature.USE_FAST_DOUBLE_PARSER)
		.disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
		.disable(StreamWriteFeature.FLUSH_PASSED_TO_STREAM)
		.build();

	private static final JsonFactory SHORT_STRINGS_FACTORY = FACTORY.rebuild()
		.streamReadConstraints(CONSTRAINTS.rebuild().maxStringLength(MAX_STRING_LENGTH).build())
		.build();

	private Json() {
	}

	/**
	 * Whether a body may be UTF-8. UTF-16 and UTF-32 are refused, because Jackson gives
	 * no byte offsets in them. They have a 0 among the first two bytes, or begin with FE
	 * FF or FF FE.
	 */
	static boolean mayBeUtf8(byte[] body) {
		return body.length < 2 || (body[0] != 0 && body[1] != 0 && (body[0] & 0xFE) != 0xFE);
	}

	/** A parser that refuses long strings if the model takes no texts. */
	static JsonParser parser(Signature signature, byte[] body, int offset, int end) {
		JsonFactory factory = signature.hasTextInput() ? FACTORY : SHORT_STRINGS_FACTORY;
		return factory.createParser(ObjectReadContext.empty(), body, offset, end - offset);
	}

	/** A generator whose {@code close()} leaves the stream open. */
	static JsonGenerator generator(OutputStream target) {
		return FACTORY.createGenerator(ObjectWriteContext.empty(), target);
	}

	/**
	 * Moves the parser to the value of the next member of an object. A member whose value
	 * is null counts as missing.
	 * @param seenNames the object's member names so far; at most 100 are allowed
	 * @return the member's name, or {@code null} at the object's end
	 */
	static @Nullable String nextMember(JsonParser parser, Set<String> seenNames) {
		for (String name = parser.nextName(); name != null; name = parser.nextName()) {
			require(seenNames.add(name), "\"%s\" comes twice in an object.", name);
			require(seenNames.size() <= MAX_MEMBERS, "An object has more than %d members.", MAX_MEMBERS);
			if (parser.nextToken() != JsonToken.VALUE_NULL) {
				return name;
			}
		}
		return null;
	}

	/** The current token's offset in bytes from the first byte of the parser's input. */
	static int tokenOffset(JsonParser parser) {
		return Math.toIntExact(parser.currentTokenLocation().getByteOffset());
	}

	static String stringValue(JsonParser parser, String subject) {
		require(parser.currentToken() == JsonToken.VALUE_STRING && parser.getStringLength() <= MAX_STRING_LENGTH,
				"%s must be a string of at most %d characters.", subject, MAX_STRING_LENGTH);
		return parser.getString();
	}

	/**
	 * Reads parameters of the Open Inference Protocol: strings, numbers and booleans.
	 * Unknown parameters are allowed.
	 * @return the values as text, by name; a string keeps its quotation marks, so that
	 * "0" differs from 0
	 * @throws InvalidRequestException if a value has a wrong type, or if a parameter asks
	 * for a feature that this server does not support
	 */
	static Map<String, String> readParameters(JsonParser parser) {
		require(parser.currentToken() == JsonToken.START_OBJECT, "\"parameters\" must be an object.");
		Map<String, String> parameters = new HashMap<>();
		Set<String> seenNames = new HashSet<>();
		for (String name = nextMember(parser, seenNames); name != null; name = nextMember(parser, seenNames)) {
			require(parser.currentToken().isScalarValue(), "Parameter '%s' must be a string, a number or a boolean.",
					name);
			parameters.put(name, (parser.currentToken() == JsonToken.VALUE_STRING)
					? "\"" + stringValue(parser, "Parameter '%s'".formatted(name)) + "\"" : parser.getString());
		}
		for (String name : UNSUPPORTED_PARAMETERS) {
			require(HARMLESS_VALUES.contains(parameters.getOrDefault(name, "0")),
					"Parameter '%s' is not supported: tensors are sent whole in the body, and requests share no state.",
					name);
		}
		return parameters;
	}

	/** The value of a boolean parameter, or {@code null} if the parameter is missing. */
	static @Nullable Boolean booleanParameter(Map<String, String> parameters, String name) {
		String value = parameters.get(name);
		require(value == null || value.equals("true") || value.equals("false"), "Parameter '%s' must be true or false.",
				name);
		return (value != null) ? Boolean.valueOf(value) : null;
	}

}
