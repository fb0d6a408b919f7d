package inference.model;

import java.util.List;

/**
 * The declaration of one input or output.
 *
 * @param name unique among the inputs, or among the outputs
 * @param dataType the type of every element
 * @param shape with -1 for each dimension whose size a request chooses
 * @param keys the names of the elements of the last dimension, if the model puts out maps
 * with these keys; empty for an ordinary tensor
 */
public record TensorSpec(String name, DataType dataType, Shape shape, List<String> keys) {

	public TensorSpec {
		keys = List.copyOf(keys);
	}

	/** An ordinary tensor. */
	public TensorSpec(String name, DataType dataType, Shape shape) {
		this(name, dataType, shape, List.of());
	}

	@Override
	public String toString() {
		return "%s %s %s".formatted(this.name, this.dataType, this.shape);
	}

}
