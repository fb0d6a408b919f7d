package inference.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

import org.jspecify.annotations.Nullable;

/**
 * The declaration of one input or output.
 *
 * @param name unique among the inputs, or among the outputs
 * @param dataType the type of every element
 * @param shape the dimensions, of which some may be {@link Shape#VARIABLE}
 * @param keys the names of the columns, if the model returns each row as a map; empty if
 * the columns have no names
 */
public record TensorSpec(String name, DataType dataType, Shape shape, List<String> keys) {

	public TensorSpec {
		keys = List.copyOf(keys);
		long columnCount = columnCount(shape);
		if (!keys.isEmpty() && columnCount != keys.size() && columnCount != Shape.VARIABLE) {
			throw new IllegalArgumentException(
					"output '%s' has %d keys for %d columns".formatted(name, keys.size(), columnCount));
		}
	}

	/** The declaration of a tensor whose columns have no names. */
	public TensorSpec(String name, DataType dataType, Shape shape) {
		this(name, dataType, shape, List.of());
	}

	/** Whether a tensor has the declared data type and a shape that fits. */
	boolean accepts(@Nullable Tensor tensor) {
		return tensor != null && tensor.dataType() == this.dataType && this.shape.accepts(tensor.shape())
				&& (this.keys.isEmpty() || columnCount(tensor.shape()) == this.keys.size());
	}

	private static long columnCount(Shape shape) {
		return (shape.rank() > 0) ? shape.dimension(shape.rank() - 1) : 0;
	}

	TensorSpec withShape(Shape newShape) {
		return new TensorSpec(this.name, this.dataType, newShape, this.keys);
	}

	/**
	 * The number of elements of a tensor of this declaration. The result is a
	 * {@code double}, because the product of the dimensions may exceed a {@code long}.
	 * @param batchSize the size of the first dimension, if it is variable
	 * @param innerSize the size of every other variable dimension
	 */
	public double elementCount(long batchSize, long innerSize) {
		double elementCount = 1;
		for (long dimension : this.shape.withSizes(batchSize, innerSize).dimensions()) {
			elementCount *= dimension;
		}
		return elementCount;
	}

	/** Whether a dimension other than the first is {@link Shape#VARIABLE}. */
	public boolean hasVariableInnerSize() {
		return LongStream.of(this.shape.dimensions()).skip(1).anyMatch((dimension) -> dimension == Shape.VARIABLE);
	}

	/** The size in bytes of {@link #elementCount} elements. Strings count as empty. */
	public double minBytes(long batchSize, long innerSize) {
		return elementCount(batchSize, innerSize) * minElementBytes();
	}

	// An empty string takes 4 bytes, because its length 0 is stored.
	private int minElementBytes() {
		return (this.dataType == DataType.BYTES) ? Integer.BYTES : this.dataType.width();
	}

	/**
	 * A tensor of zeros or empty strings for each declaration, by name. A declaration of
	 * unknown rank gets a tensor of rank 2.
	 * @param batchSize the size of the first dimension, if it is variable
	 * @param innerSize the size of every other variable dimension
	 * @throws ArithmeticException if a tensor is larger than 2 GB
	 * @throws IllegalArgumentException if its element count exceeds a {@code long}
	 */
	public static Map<String, Tensor> zeros(List<TensorSpec> specs, long batchSize, long innerSize) {
		Map<String, Tensor> zeros = new LinkedHashMap<>();
		for (TensorSpec spec : specs) {
			Shape shape = spec.shape.hasUnknownRank() ? Shape.of(batchSize, innerSize)
					: spec.shape.withSizes(batchSize, innerSize);
			int byteCount = Math.toIntExact(Math.multiplyExact(shape.elementCount(), spec.minElementBytes()));
			zeros.put(spec.name, Tensor.of(spec.dataType, shape, Tensor.allocate(byteCount)));
		}
		return zeros;
	}

	@Override
	public String toString() {
		return "%s %s %s".formatted(this.name, this.dataType, this.shape);
	}

}
