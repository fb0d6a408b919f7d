package inference.model;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The type of a tensor's elements. The constants have the names of the Open Inference
 * Protocol. BF16 is Triton's addition to that protocol.
 */
public enum DataType {

	BOOL(1), UINT8(1), UINT16(2), UINT32(4), UINT64(8), INT8(1), INT16(2), INT32(4), INT64(8), FP16(2), BF16(2),
	FP32(4), FP64(8),

	/** Strings of bytes of any length. Text is encoded in UTF-8. */
	BYTES(0);

	private final int width;

	DataType(int width) {
		this.width = width;
	}

	/** The size of one element in bytes; 0 for {@link #BYTES}. */
	public int width() {
		return this.width;
	}

	/**
	 * The size in bytes of consecutive elements of a tensor.
	 * @param contents a buffer whose position is the first of these elements; the
	 * position does not change
	 * @param elementCount the number of elements
	 */
	public int byteCount(ByteBuffer contents, long elementCount) {
		if (this != BYTES) {
			return Math.toIntExact(elementCount * this.width);
		}
		ByteBuffer remaining = contents.duplicate().order(ByteOrder.LITTLE_ENDIAN);
		for (long i = 0; i < elementCount; i++) {
			int length = remaining.getInt();
			remaining.position(remaining.position() + length);
		}
		return remaining.position() - contents.position();
	}

	/**
	 * Appends a number to a tensor's contents. A floating point type rounds the number.
	 * An integer type drops the fraction and keeps the lowest bits. For BOOL, 1 is true
	 * and 0 is false.
	 * @throws IllegalArgumentException for {@link #BYTES}
	 */
	public void put(ByteBuffer contents, Number value) {
		switch (this) {
			case BOOL, INT8, UINT8 -> contents.put((byte) value.longValue());
			case INT16, UINT16 -> contents.putShort((short) value.longValue());
			case INT32, UINT32 -> contents.putInt((int) value.longValue());
			case INT64, UINT64 -> contents.putLong(value.longValue());
			case FP16 -> contents.putShort(Float.floatToFloat16(value.floatValue()));
			case BF16 -> contents.putShort(toBfloat16(value.floatValue()));
			case FP32 -> contents.putFloat(value.floatValue());
			case FP64 -> contents.putDouble(value.doubleValue());
			case BYTES -> throw new IllegalArgumentException("a string is not a number");
		}
	}

	/**
	 * Reads the number at a position, which is an absolute offset in bytes.
	 * @throws IllegalArgumentException for {@link #BYTES}
	 */
	public Number get(ByteBuffer contents, int position) {
		return switch (this) {
			case BOOL, INT8 -> contents.get(position);
			case UINT8 -> Byte.toUnsignedInt(contents.get(position));
			case INT16 -> contents.getShort(position);
			case UINT16 -> Short.toUnsignedInt(contents.getShort(position));
			case INT32 -> contents.getInt(position);
			case UINT32 -> Integer.toUnsignedLong(contents.getInt(position));
			case INT64 -> contents.getLong(position);
			case UINT64 -> new BigInteger(Long.toUnsignedString(contents.getLong(position)));
			case FP16 -> Float.float16ToFloat(contents.getShort(position));
			case BF16 -> Float.intBitsToFloat(contents.getShort(position) << Short.SIZE);
			case FP32 -> contents.getFloat(position);
			case FP64 -> contents.getDouble(position);
			case BYTES -> throw new IllegalArgumentException("a string is not a number");
		};
	}

	// A BF16 is the upper half of an FP32. A number halfway between two BF16 numbers is
	// rounded to the one whose last bit is 0.
	private static short toBfloat16(float value) {
		int bits = Float.floatToIntBits(value);
		return (short) ((bits + 0x7FFF + (bits >>> Short.SIZE & 1)) >>> Short.SIZE);
	}

}
