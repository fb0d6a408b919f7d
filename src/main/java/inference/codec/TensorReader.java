package inference.codec;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.LongConsumer;

import tools.jackson.core.Base64Variant;
import tools.jackson.core.Base64Variants;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.codec.InvalidRequestException.require;

/**
 * Reads one tensor from nested JSON arrays into one buffer. The shape is that of the
 * nesting, unless the request states a shape. A value that the data type cannot hold is
 * refused; only floating point numbers are rounded.
 */
final class TensorReader {

	private static final int INITIAL_BYTES = 256;

	private static final int NOT_SEEN = -1;

	private static final Base64Variant BASE64 = Base64Variants.MIME_NO_LINEFEEDS.withPaddingAllowed();

	private final TensorSpec spec;

	private final boolean allowsBase64;

	private final LongConsumer memoryReserver;

	private final long[] dimensions = new long[Json.MAX_DEPTH + 1];

	private int rank = NOT_SEEN;

	private ByteBuffer contents;

	/**
	 * @param allowsBase64 whether bytes may come in TensorFlow Serving's form
	 * {@code {"b64": "…"}}, which the Open Inference Protocol does not have
	 * @param memoryReserver as in the constructor of {@link RequestReader}
	 */
	TensorReader(TensorSpec spec, boolean allowsBase64, LongConsumer memoryReserver) {
		this.spec = spec;
		this.allowsBase64 = allowsBase64;
		this.memoryReserver = memoryReserver;
		memoryReserver.accept(INITIAL_BYTES);
		this.contents = Tensor.allocate(INITIAL_BYTES);
		Arrays.fill(this.dimensions, NOT_SEEN);
	}

	/**
	 * Reads the parser's current value, and everything in that value.
	 * @param parser is at the first token of the value. For {@code {"b64": "…"}}, it may
	 * also be at the member's name, if the caller has read the brace
	 * @param depth how many of the tensor's dimensions enclose the value; 1 for a row
	 */
	void read(JsonParser parser, int depth) {
		boolean isArray = parser.currentToken() == JsonToken.START_ARRAY;
		// The first value that is not an array fixes the rank, unless an array was seen
		// at the same depth. All values have this depth.
		if (!isArray && this.rank == NOT_SEEN && this.dimensions[depth] == NOT_SEEN) {
			this.rank = depth;
		}
		boolean isValueDepth = depth == this.rank;
		requireNesting(isArray != isValueDepth, "values at different depths");
		if (!isArray) {
			readElement(parser);
			return;
		}
		long count = 0;
		for (; parser.nextToken() != JsonToken.END_ARRAY; count++) {
			read(parser, depth + 1);
		}
		setLength(depth, count);
	}

	/** Sets the length of a dimension. Arrays at one depth must have the same length. */
	void setLength(int depth, long length) {
		requireNesting(this.dimensions[depth] == NOT_SEEN || this.dimensions[depth] == length,
				"rows of different lengths");
		this.dimensions[depth] = length;
	}

	/**
	 * Returns the tensor, in the shape of the JSON's nesting. The inner dimensions of an
	 * empty array come from the declaration; a variable one is 0. If the innermost
	 * dimension is 1, its brackets may be left out: {@code 20} means {@code [20]}.
	 */
	Tensor toTensor() {
		long[] resultDimensions = foundDimensions();
		Shape declaredShape = this.spec.shape();
		boolean isEmptyArray = this.rank == NOT_SEEN;
		if (resultDimensions.length < declaredShape.rank() && (isEmptyArray || omitsInnerBrackets(declaredShape))) {
			long[] allDimensions = declaredShape.withSizes(0, 0).dimensions();
			System.arraycopy(resultDimensions, 0, allDimensions, 0, resultDimensions.length);
			resultDimensions = allDimensions;
		}
		Shape shape = Shape.of(resultDimensions);
		requireShape(this.spec, shape);
		return Tensor.of(this.spec.dataType(), shape, this.contents.flip());
	}

	private boolean omitsInnerBrackets(Shape declaredShape) {
		return this.rank == declaredShape.rank() - 1 && declaredShape.dimension(this.rank) == 1;
	}

	/**
	 * Returns the tensor, in the shape that the request states next to the data.
	 * @param statedShape a shape that fits the declaration; the data may be nested like
	 * this shape or flat
	 */
	Tensor toTensor(Shape statedShape) {
		Shape foundShape = Shape.of(foundDimensions());
		boolean isFlat = foundShape.rank() == 1 && foundShape.dimension(0) == statedShape.elementCount();
		boolean isEmpty = statedShape.elementCount() == 0 && this.rank == NOT_SEEN;
		require(isFlat || isEmpty || foundShape.equals(statedShape),
				"Input '%s' states shape %s, which is %d elements, but its data has shape %s.", this.spec.name(),
				statedShape, statedShape.elementCount(), foundShape);
		return Tensor.of(this.spec.dataType(), statedShape, this.contents.flip());
	}

	/** Checks that a shape fits the declaration. */
	static void requireShape(TensorSpec spec, Shape shape) {
		require(spec.shape().accepts(shape), "Input '%s' must have shape %s, not %s.", spec.name(), spec.shape(),
				shape.toString());
	}

	private long[] foundDimensions() {
		return Arrays.stream(this.dimensions).takeWhile((dimension) -> dimension != NOT_SEEN).toArray();
	}

	private void readElement(JsonParser parser) {
		DataType dataType = this.spec.dataType();
		switch (dataType) {
			case BOOL -> {
				requireType(parser, parser.currentToken().isBoolean());
				put(parser.getBooleanValue() ? 1 : 0);
			}
			case UINT8, UINT16, UINT32, UINT64 -> put(readInteger(parser, false));
			case INT8, INT16, INT32, INT64 -> put(readInteger(parser, true));
			case FP16, BF16, FP32, FP64 -> {
				requireType(parser, parser.currentToken().isNumeric());
				// isNaN() is also true for infinities.
				boolean isFinite = !parser.isNaN();
				put((dataType == DataType.FP64) ? parser.getDoubleValue() : parser.getFloatValue());
				Number stored = dataType.get(this.contents, this.contents.position() - dataType.width());
				requireRange(parser, !isFinite || Double.isFinite(stored.doubleValue()));
			}
			case BYTES -> put(readBytes(parser));
		}
	}

	private void put(Number value) {
		this.spec.dataType().put(ensureRemaining(this.spec.dataType().width()), value);
	}

	private void put(byte[] bytes) {
		ensureRemaining(Integer.BYTES + bytes.length).putInt(bytes.length).put(bytes);
	}

	private ByteBuffer ensureRemaining(int byteCount) {
		if (this.contents.remaining() < byteCount) {
			long desiredCapacity = Math.max(2L * this.contents.capacity(), this.contents.position() + (long) byteCount);
			int oldCapacity = this.contents.capacity();
			int newCapacity = (int) Math.min(desiredCapacity, Integer.MAX_VALUE - 8);
			this.memoryReserver.accept(newCapacity);
			this.contents = Tensor.allocate(newCapacity).put(this.contents.flip());
			this.memoryReserver.accept(-oldCapacity);
		}
		return this.contents;
	}

	private long readInteger(JsonParser parser, boolean isSigned) {
		requireType(parser, parser.currentToken() == JsonToken.VALUE_NUMBER_INT);
		BigInteger value = parser.getBigIntegerValue();
		int bits = Byte.SIZE * this.spec.dataType().width();
		requireRange(parser, isSigned ? value.bitLength() < bits : value.signum() >= 0 && value.bitLength() <= bits);
		return value.longValue();
	}

	private byte[] readBytes(JsonParser parser) {
		if (parser.currentToken() == JsonToken.VALUE_STRING) {
			String text = parser.getString();
			require(text.codePoints().noneMatch((point) -> Character.getType(point) == Character.SURROGATE),
					"Input '%s' has a text with half a surrogate pair.", this.spec.name());
			return text.getBytes(StandardCharsets.UTF_8);
		}
		if (parser.currentToken() == JsonToken.START_OBJECT) {
			parser.nextToken();
		}
		requireType(parser, this.allowsBase64 && "b64".equals(parser.currentName()));
		requireType(parser, parser.nextToken() == JsonToken.VALUE_STRING);
		byte[] bytes = parser.getBinaryValue(BASE64);
		requireType(parser, parser.nextToken() == JsonToken.END_OBJECT);
		return bytes;
	}

	private void requireType(JsonParser parser, boolean isRightType) {
		if (isRightType) {
			return;
		}
		String foundValue = switch (parser.currentToken()) {
			case START_OBJECT, PROPERTY_NAME, END_OBJECT -> "an object";
			case VALUE_STRING -> "the string \"%s\"".formatted(InvalidRequestException.excerpt(parser.getString()));
			case VALUE_NULL -> switch (this.spec.dataType()) {
				case FP16, BF16, FP32, FP64 -> "null: write NaN for a missing value";
				default -> "null";
			};
			default -> InvalidRequestException.excerpt(parser.getString());
		};
		throw new InvalidRequestException(
				"Input '%s' is %s and cannot take %s.".formatted(this.spec.name(), this.spec.dataType(), foundValue));
	}

	private void requireRange(JsonParser parser, boolean isInRange) {
		if (!isInRange) {
			throw new InvalidRequestException("Input '%s' is %s, for which %s is out of range.".formatted(
					this.spec.name(), this.spec.dataType(), InvalidRequestException.excerpt(parser.getString())));
		}
	}

	private void requireNesting(boolean isRightNesting, String problem) {
		if (!isRightNesting) {
			throw new InvalidRequestException("Input '%s' must have shape %s, but the data has %s."
				.formatted(this.spec.name(), this.spec.shape(), problem));
		}
	}

}
