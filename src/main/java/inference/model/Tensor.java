package inference.model;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/**
 * An n-dimensional array of one data type. Its contents must not be changed.
 * <p>
 * The contents have the form of the Open Inference Protocol's binary tensor extension:
 * little-endian, row-major, without padding. A BOOL is one byte, 0 or 1. A BYTES element
 * is its length, an unsigned 32-bit integer, followed by its bytes.
 */
public final class Tensor {

	private final DataType dataType;

	private final Shape shape;

	private final ByteBuffer contents;

	private Tensor(DataType dataType, Shape shape, ByteBuffer contents) {
		this.dataType = dataType;
		this.shape = shape;
		this.contents = contents;
	}

	/**
	 * A tensor over the remaining bytes of a buffer. The bytes are not copied.
	 * @param dataType the type of the elements
	 * @param shape without variable dimensions
	 * @param contents the elements, from position to limit
	 * @throws IllegalArgumentException if the bytes are not exactly the shape's elements,
	 * or a BOOL is neither 0 nor 1
	 */
	public static Tensor of(DataType dataType, Shape shape, ByteBuffer contents) {
		ByteBuffer slice = contents.slice().order(ByteOrder.LITTLE_ENDIAN);
		long elementCount = shape.elementCount();
		if (dataType == DataType.BYTES) {
			requireStrings(shape, elementCount, slice);
		}
		else if (elementCount > Integer.MAX_VALUE / dataType.width()
				|| elementCount * dataType.width() != slice.capacity()) {
			throw new IllegalArgumentException("%s %s needs %d elements of %d bytes, not %d bytes".formatted(dataType,
					shape, elementCount, dataType.width(), slice.capacity()));
		}
		else if (dataType == DataType.BOOL) {
			requireBooleans(shape, slice);
		}
		return new Tensor(dataType, shape, slice);
	}

	/**
	 * An FP32 tensor.
	 * @param shape without variable dimensions
	 * @param values as many as the shape has elements
	 */
	public static Tensor ofFloats(Shape shape, float... values) {
		ByteBuffer contents = allocate(Float.BYTES * values.length);
		contents.asFloatBuffer().put(values);
		return of(DataType.FP32, shape, contents);
	}

	/**
	 * An INT64 tensor.
	 * @param shape without variable dimensions
	 * @param values as many as the shape has elements
	 */
	public static Tensor ofLongs(Shape shape, long... values) {
		ByteBuffer contents = allocate(Long.BYTES * values.length);
		contents.asLongBuffer().put(values);
		return of(DataType.INT64, shape, contents);
	}

	/**
	 * A BYTES tensor of texts, each stored as UTF-8.
	 * @param shape without variable dimensions
	 * @param values as many as the shape has elements
	 */
	public static Tensor ofStrings(Shape shape, List<String> values) {
		ByteArrayOutputStream contents = new ByteArrayOutputStream();
		for (String value : values) {
			byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
			contents.writeBytes(allocate(Integer.BYTES).putInt(bytes.length).array());
			contents.writeBytes(bytes);
		}
		return of(DataType.BYTES, shape, ByteBuffer.wrap(contents.toByteArray()));
	}

	/** A tensor whose contents are those of several tensors, one after the other. */
	public static Tensor join(DataType dataType, Shape shape, List<Tensor> parts) {
		ByteBuffer contents = ByteBuffer.allocate(Math.toIntExact(totalBytes(parts)));
		parts.forEach((part) -> contents.put(part.contents()));
		return of(dataType, shape, contents.flip());
	}

	/** A little-endian buffer on the Java heap, for the contents of a tensor. */
	public static ByteBuffer allocate(int byteCount) {
		return ByteBuffer.allocate(byteCount).order(ByteOrder.LITTLE_ENDIAN);
	}

	public DataType dataType() {
		return this.dataType;
	}

	public Shape shape() {
		return this.shape;
	}

	/** A little-endian view of the elements' bytes, with its own position. */
	public ByteBuffer contents() {
		return this.contents.duplicate().order(ByteOrder.LITTLE_ENDIAN);
	}

	/** The number of bytes in the contents of several tensors. */
	public static long totalBytes(Collection<Tensor> tensors) {
		return tensors.stream().mapToLong((tensor) -> tensor.contents.capacity()).sum();
	}

	/**
	 * The elements of an FP32 tensor.
	 * @return a copy, in row-major order
	 * @throws IllegalStateException if the data type is not FP32
	 */
	public float[] floats() {
		requireDataType(DataType.FP32);
		float[] values = new float[this.contents.capacity() / Float.BYTES];
		this.contents.asFloatBuffer().get(values);
		return values;
	}

	/**
	 * The elements of an INT64 tensor.
	 * @return a copy, in row-major order
	 * @throws IllegalStateException if the data type is not INT64
	 */
	public long[] longs() {
		requireDataType(DataType.INT64);
		long[] values = new long[this.contents.capacity() / Long.BYTES];
		this.contents.asLongBuffer().get(values);
		return values;
	}

	/**
	 * The elements of a BYTES tensor, decoded as UTF-8.
	 * @return the texts, in row-major order
	 * @throws IllegalStateException if the data type is not BYTES
	 */
	public List<String> strings() {
		requireDataType(DataType.BYTES);
		List<String> values = new ArrayList<>();
		ByteBuffer remaining = contents();
		while (remaining.hasRemaining()) {
			byte[] bytes = new byte[remaining.getInt()];
			remaining.get(bytes);
			values.add(new String(bytes, StandardCharsets.UTF_8));
		}
		return values;
	}

	@Override
	public String toString() {
		return "%s %s".formatted(this.dataType, this.shape);
	}

	private void requireDataType(DataType expected) {
		if (this.dataType != expected) {
			throw new IllegalStateException("this tensor is %s, not %s".formatted(this.dataType, expected));
		}
	}

	private static void requireBooleans(Shape shape, ByteBuffer contents) {
		for (int i = 0; i < contents.capacity(); i++) {
			if ((contents.get(i) & ~1) != 0) {
				throw new IllegalArgumentException(
						"BOOL %s: element %d is %d, neither 0 nor 1".formatted(shape, i, contents.get(i)));
			}
		}
	}

	private static void requireStrings(Shape shape, long elementCount, ByteBuffer contents) {
		int position = 0;
		long stringCount = 0;
		while (position < contents.capacity()) {
			long length = (contents.capacity() - position < Integer.BYTES) ? Long.MAX_VALUE
					: Integer.toUnsignedLong(contents.getInt(position));
			if (length > contents.capacity() - position - Integer.BYTES) {
				throw new IllegalArgumentException(
						"BYTES %s: element %d is longer than the rest of the tensor's %d bytes".formatted(shape,
								stringCount, contents.capacity()));
			}
			position += Integer.BYTES + (int) length;
			stringCount++;
		}
		if (stringCount != elementCount) {
			throw new IllegalArgumentException(
					"BYTES %s needs %d elements, not %d".formatted(shape, elementCount, stringCount));
		}
	}

}
