package inference.model;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * The declaration of one input or output.
 *
 * @param name unique among the inputs, or among the outputs
 * @param dataType the type of every element
 * @param shape with -1 for each dimension whose size a request chooses
 * @param keys the names of the columns, if a row is a map in the model's own format;
 * empty for an ordinary tensor
 */
public record TensorSpec(String name, DataType dataType, Shape shape, List<String> keys) {

	public TensorSpec {
		keys = List.copyOf(keys);
	}

	/** The declaration of an ordinary tensor. */
	public TensorSpec(String name, DataType dataType, Shape shape) {
		this(name, dataType, shape, List.of());
	}

	/**
	 * The size in bytes of the smallest tensor that fits this declaration.
	 * @param batch the size of the first dimension, if it is variable
	 * @param size the size of every other variable dimension
	 */
	public double bytes(long batch, long size) {
		double bytes = (this.dataType == DataType.BYTES) ? Integer.BYTES : this.dataType.width();
		for (int i = 0; i < this.shape.rank(); i++) {
			long dimension = this.shape.dimension(i);
			bytes *= (dimension != Shape.VARIABLE) ? dimension : (i == 0) ? batch : size;
		}
		return bytes;
	}

	/**
	 * A tensor of zeros or empty strings that fits this declaration.
	 * @param batch the size of the first dimension, if it is variable
	 * @param size the size of every other variable dimension
	 * @throws ArithmeticException if the tensor is larger than 2 GB
	 */
	Tensor zeros(long batch, long size) {
		long[] dimensions = !this.shape.isOfAnyRank() ? this.shape.dimensions()
				: new long[] { Shape.VARIABLE, Shape.VARIABLE };
		for (int i = 0; i < dimensions.length; i++) {
			if (dimensions[i] == Shape.VARIABLE) {
				dimensions[i] = (i == 0) ? batch : size;
			}
		}
		Shape zeros = Shape.of(dimensions);
		// An empty string is its length, which is 0.
		int width = (this.dataType == DataType.BYTES) ? Integer.BYTES : this.dataType.width();
		int bytes = Math.toIntExact(Math.multiplyExact(zeros.elements(), width));
		return Tensor.of(this.dataType, zeros, ByteBuffer.allocate(bytes));
	}

	@Override
	public String toString() {
		return "%s %s %s".formatted(this.name, this.dataType, this.shape);
	}

}
