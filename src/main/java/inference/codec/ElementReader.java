package inference.codec;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.function.LongConsumer;

import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.io.NumberInput;

import inference.model.DataType;
import inference.model.TensorSpec;

/**
 * Reads a tensor's elements, one JSON value each, into one buffer. A value that the data
 * type cannot hold exactly is refused; only floating point numbers are rounded.
 */
final class ElementReader {

	// The buffer's size before the first element has come, at least and at most.
	private static final int MIN_INITIAL_BYTES = 16;

	private static final int MAX_INITIAL_BYTES = 1024;

	private final TensorSpec spec;

	private final DataType dataType;

	private final boolean base64;

	private final LongConsumer memory;

	private ByteBuffer contents;

	/**
	 * A reader of one tensor's elements.
	 * @param spec what the model takes
	 * @param base64 whether bytes may come in TensorFlow Serving's form, {@code {"b64":
	 * "…"}}; the Open Inference Protocol has none
	 * @param expected how many elements there will be, if that is known
	 * @param memory is told how many bytes are about to be allocated or have been freed
	 */
	ElementReader(TensorSpec spec, boolean base64, long expected, LongConsumer memory) {
		this.spec = spec;
		this.dataType = spec.dataType();
		this.base64 = base64;
		long size = expected * Math.max(spec.dataType().width(), Integer.BYTES);
		this.memory = memory;
		// A client that states a large shape has not sent the data yet.
		this.contents = Json.buffer(Math.clamp(size, MIN_INITIAL_BYTES, MAX_INITIAL_BYTES));
	}

	void read(JsonParser parser) {
		int bits = 8 * this.dataType.width();
		switch (this.dataType) {
			case BOOL -> put(bool(parser) ? 1 : 0);
			case UINT8, UINT16, UINT32 -> put(integer(parser, 0, (1L << bits) - 1));
			case UINT64 -> put(unsigned(parser));
			case INT8, INT16, INT32, INT64 -> put(integer(parser, -1L << (bits - 1), ~(-1L << (bits - 1))));
			case FP32 -> put(Float.floatToIntBits(finite(parser, float32(parser))));
			case FP64 -> put(Double.doubleToLongBits(finite(parser, float64(parser))));
			case BYTES -> put(bytes(parser));
			case FP16, BF16 ->
				throw new InvalidRequestException("Input '%s' is %s, which JSON cannot carry: send it as binary data."
					.formatted(this.spec.name(), this.dataType));
		}
	}

	/** All elements that were read. */
	ByteBuffer contents() {
		return this.contents.flip();
	}

	private void put(long bits) {
		switch (this.dataType.width()) {
			case 1 -> room(1).put((byte) bits);
			case 2 -> room(2).putShort((short) bits);
			case 4 -> room(4).putInt((int) bits);
			default -> room(8).putLong(bits);
		}
	}

	private void put(ByteBuffer bytes) {
		room(Integer.BYTES + bytes.remaining()).putInt(bytes.remaining()).put(bytes);
	}

	private ByteBuffer room(int bytes) {
		if (this.contents.remaining() < bytes) {
			long size = Math.max(2L * this.contents.capacity(), this.contents.position() + (long) bytes);
			int before = this.contents.capacity();
			int after = (int) Math.min(size, Integer.MAX_VALUE - 8);
			this.memory.accept(after);
			this.contents = Json.buffer(after).put(this.contents.flip());
			this.memory.accept(-before);
		}
		return this.contents;
	}

	private boolean bool(JsonParser parser) {
		return switch (parser.currentToken()) {
			case VALUE_TRUE -> true;
			case VALUE_FALSE -> false;
			default -> throw wrongType(parser);
		};
	}

	private long integer(JsonParser parser, long least, long most) {
		if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
			throw wrongType(parser);
		}
		if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
			throw outOfRange(parser);
		}
		long value = parser.getLongValue();
		if (value < least || value > most) {
			throw outOfRange(parser);
		}
		return value;
	}

	private long unsigned(JsonParser parser) {
		if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
			throw wrongType(parser);
		}
		try {
			return Long.parseUnsignedLong(parser.getString());
		}
		catch (NumberFormatException ex) {
			throw outOfRange(parser);
		}
	}

	// From the parser's own characters: asked for a number, it makes a string of each.
	private float float32(JsonParser parser) {
		requireNumber(parser);
		return NumberInput.parseFloat(parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength(),
				true);
	}

	private double float64(JsonParser parser) {
		requireNumber(parser);
		return NumberInput.parseDouble(parser.getStringCharacters(), parser.getStringOffset(), parser.getStringLength(),
				true);
	}

	private void requireNumber(JsonParser parser) {
		if (!parser.currentToken().isNumeric()) {
			throw wrongType(parser);
		}
	}

	private float finite(JsonParser parser, float value) {
		return (float) finite(parser, (double) value);
	}

	private double finite(JsonParser parser, double value) {
		if (!Double.isFinite(value)) {
			throw outOfRange(parser);
		}
		return value;
	}

	private ByteBuffer bytes(JsonParser parser) {
		if (parser.currentToken() == JsonToken.VALUE_STRING) {
			return utf8(parser.getString());
		}
		if (parser.currentToken() == JsonToken.START_OBJECT) {
			parser.nextToken();
		}
		if (!this.base64 || !"b64".equals(parser.currentName()) || parser.nextToken() != JsonToken.VALUE_STRING) {
			throw wrongType(parser);
		}
		String encoded = parser.getString();
		if (parser.nextToken() != JsonToken.END_OBJECT) {
			throw wrongType(parser);
		}
		try {
			return ByteBuffer.wrap(Base64.getDecoder().decode(encoded));
		}
		catch (IllegalArgumentException ex) {
			throw new InvalidRequestException(
					"Input '%s' has a \"b64\" that is not Base64.".formatted(this.spec.name()));
		}
	}

	private ByteBuffer utf8(String text) {
		try {
			return StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
		}
		catch (CharacterCodingException ex) {
			throw new InvalidRequestException(
					"Input '%s' has a text with half a surrogate pair.".formatted(this.spec.name()));
		}
	}

	private InvalidRequestException wrongType(JsonParser parser) {
		String found = switch (parser.currentToken()) {
			case null -> "nothing";
			case START_OBJECT, PROPERTY_NAME, END_OBJECT -> "an object";
			case START_ARRAY, END_ARRAY -> "an array";
			case VALUE_STRING -> "the string \"%s\"".formatted(InvalidRequestException.excerpt(parser.getString()));
			default -> InvalidRequestException.excerpt(parser.getString());
		};
		return new InvalidRequestException(
				"Input '%s' is %s and cannot take %s.".formatted(this.spec.name(), this.dataType, found));
	}

	private InvalidRequestException outOfRange(JsonParser parser) {
		return new InvalidRequestException("Input '%s' is %s, for which %s is out of range.".formatted(this.spec.name(),
				this.dataType, InvalidRequestException.excerpt(parser.getString())));
	}

}
