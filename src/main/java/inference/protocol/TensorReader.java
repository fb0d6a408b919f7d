package inference.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Reads one tensor out of JSON arrays, element by element into its buffer. The shape is
 * what the nesting says, or what the request states beside data that may be flat. Reading
 * stops at the first array that is longer than its neighbours or than the shape allows,
 * so that no more is kept than a good request would have needed.
 */
final class TensorReader {

	private static final int UNKNOWN = -1;

	private final TensorSpec spec;

	private final @Nullable Shape stated;

	private final long[] dimensions;

	private int rank = UNKNOWN;

	private ByteBuffer contents = Json.buffer(64);

	/**
	 * A reader for one tensor.
	 * @param spec what the model takes
	 * @param stated the shape the request states, known to fit the specification;
	 * {@code null} if it states none
	 */
	TensorReader(TensorSpec spec, @Nullable Shape stated) {
		this.spec = spec;
		this.stated = stated;
		// Even a scalar may come as a flat array of one.
		this.dimensions = new long[Math.max((stated != null) ? 1 : 0, spec.shape().rank())];
		Arrays.fill(this.dimensions, UNKNOWN);
	}

	/**
	 * Reads the parser's current value, and all in it.
	 * @param parser at the first token of the value
	 * @param depth how many arrays the value is in, as dimensions of this tensor
	 */
	void read(JsonParser parser, int depth) {
		if (parser.currentToken() == JsonToken.START_ARRAY) {
			if (depth == this.dimensions.length || depth == this.rank) {
				throw misshapen("an array where a value should be");
			}
			long most = most(depth);
			long count = 0;
			while (parser.nextToken() != JsonToken.END_ARRAY) {
				if (count == most) {
					throw misshapen("more than %d values in one array".formatted(most));
				}
				read(parser, depth + 1);
				count++;
			}
			close(depth, count);
			return;
		}
		if (this.rank == UNKNOWN) {
			this.rank = depth;
		}
		if (depth != this.rank) {
			throw misshapen("values at different depths");
		}
		element(parser);
	}

	/**
	 * Notes the length of a dimension.
	 * @param depth the dimension
	 * @param count how many values it has here; the same wherever it occurs
	 */
	void close(int depth, long count) {
		if (this.dimensions[depth] != UNKNOWN && this.dimensions[depth] != count) {
			throw misshapen("rows of %d and of %d values".formatted(this.dimensions[depth], count));
		}
		this.dimensions[depth] = count;
	}

	Tensor toTensor() {
		return Tensor.of(this.spec.dataType(), (this.stated != null) ? agreed(this.stated) : found(),
				this.contents.flip());
	}

	private Shape found() {
		long[] shape = this.dimensions.clone();
		boolean empty = Arrays.stream(shape).anyMatch((dimension) -> dimension == 0);
		for (int i = 0; i < shape.length; i++) {
			if (shape[i] == UNKNOWN && empty) {
				// The arrays end above this dimension: nothing contradicts the signature.
				shape[i] = Math.max(0, this.spec.shape().dimension(i));
			}
		}
		Shape found = known(shape);
		if (!this.spec.shape().accepts(found)) {
			throw RequestException
				.bad("Input '%s' must have shape %s, not %s.".formatted(this.spec.name(), this.spec.shape(), found));
		}
		return found;
	}

	private Shape agreed(Shape stated) {
		Shape found = known(this.dimensions);
		boolean flat = found.rank() == 1 && found.dimension(0) == stated.elements();
		boolean nothing = stated.elements() == 0 && this.contents.position() == 0;
		if (!flat && !nothing && !found.equals(stated)) {
			throw RequestException.bad("Input '%s' states shape %s, which is %d elements, but its data has shape %s."
				.formatted(this.spec.name(), stated, stated.elements(), found));
		}
		return stated;
	}

	private static Shape known(long[] dimensions) {
		return Shape.of(Arrays.stream(dimensions).takeWhile((dimension) -> dimension != UNKNOWN).toArray());
	}

	private long most(int depth) {
		if (this.stated != null && depth == 0) {
			return Math.max(this.stated.elements(), (this.stated.rank() > 0) ? this.stated.dimension(0) : 1);
		}
		if (this.dimensions[depth] != UNKNOWN) {
			return this.dimensions[depth];
		}
		long allowed = this.spec.shape().dimension(depth);
		return (allowed != Shape.VARIABLE) ? allowed : Long.MAX_VALUE;
	}

	private void element(JsonParser parser) {
		DataType dataType = this.spec.dataType();
		switch (dataType) {
			case BOOL -> room(1).put((byte) (bool(parser) ? 1 : 0));
			case UINT8 -> room(1).put((byte) integer(parser, 0, 0xFF));
			case INT8 -> room(1).put((byte) integer(parser, Byte.MIN_VALUE, Byte.MAX_VALUE));
			case UINT16 -> room(2).putShort((short) integer(parser, 0, 0xFFFF));
			case INT16 -> room(2).putShort((short) integer(parser, Short.MIN_VALUE, Short.MAX_VALUE));
			case UINT32 -> room(4).putInt((int) integer(parser, 0, 0xFFFF_FFFFL));
			case INT32 -> room(4).putInt((int) integer(parser, Integer.MIN_VALUE, Integer.MAX_VALUE));
			case UINT64 -> room(8).putLong(unsigned(parser));
			case INT64 -> room(8).putLong(integer(parser, Long.MIN_VALUE, Long.MAX_VALUE));
			case FP32 -> {
				float value = number(parser).getFloatValue();
				requireFinite(parser, value);
				room(4).putFloat(value);
			}
			case FP64 -> {
				double value = number(parser).getDoubleValue();
				requireFinite(parser, value);
				room(8).putDouble(value);
			}
			case BYTES -> {
				byte[] value = bytes(parser);
				room(4 + value.length).putInt(value.length).put(value);
			}
			case FP16, BF16 ->
				throw RequestException.bad("Input '%s' is %s, which JSON cannot carry: send it as binary data."
					.formatted(this.spec.name(), dataType));
		}
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

	private JsonParser number(JsonParser parser) {
		if (!parser.currentToken().isNumeric()) {
			throw wrongType(parser);
		}
		return parser;
	}

	private void requireFinite(JsonParser parser, double value) {
		if (!Double.isFinite(value)) {
			throw outOfRange(parser);
		}
	}

	// TensorFlow Serving's form of bytes that are not text is {"b64": "…"}; the Open
	// Inference Protocol has none.
	private byte[] bytes(JsonParser parser) {
		if (parser.currentToken() == JsonToken.VALUE_STRING) {
			return parser.getString().getBytes(StandardCharsets.UTF_8);
		}
		if (parser.currentToken() == JsonToken.START_OBJECT) {
			parser.nextToken();
		}
		if (this.stated != null || !"b64".equals(parser.currentName())
				|| parser.nextToken() != JsonToken.VALUE_STRING) {
			throw wrongType(parser);
		}
		String encoded = parser.getString();
		if (parser.nextToken() != JsonToken.END_OBJECT) {
			throw wrongType(parser);
		}
		try {
			return Base64.getDecoder().decode(encoded);
		}
		catch (IllegalArgumentException ex) {
			throw RequestException.bad("Input '%s' has a \"b64\" that is not Base64.".formatted(this.spec.name()));
		}
	}

	private RequestException wrongType(JsonParser parser) {
		String found = switch (parser.currentToken()) {
			case null -> "nothing";
			case START_OBJECT, PROPERTY_NAME, END_OBJECT -> "an object";
			case START_ARRAY, END_ARRAY -> "an array";
			case VALUE_STRING -> "the string \"%s\"".formatted(RequestException.excerpt(parser.getString()));
			default -> RequestException.excerpt(parser.getString());
		};
		return RequestException
			.bad("Input '%s' is %s and cannot take %s.".formatted(this.spec.name(), this.spec.dataType(), found));
	}

	private RequestException outOfRange(JsonParser parser) {
		return RequestException.bad("Input '%s' is %s, for which %s is out of range.".formatted(this.spec.name(),
				this.spec.dataType(), RequestException.excerpt(parser.getString())));
	}

	private RequestException misshapen(String found) {
		return RequestException.bad("Input '%s' must have shape %s, but the data has %s.".formatted(this.spec.name(),
				this.spec.shape(), found));
	}

	private ByteBuffer room(int bytes) {
		if (this.contents.remaining() < bytes) {
			int size = Math.max(2 * this.contents.capacity(), this.contents.position() + bytes);
			this.contents = Json.buffer(size).put(this.contents.flip());
		}
		return this.contents;
	}

}
