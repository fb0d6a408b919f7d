package inference.model;

/**
 * What a signature says of one tensor.
 *
 * @param name unique among the inputs, or among the outputs
 * @param dataType the type of every element
 * @param shape with -1 for each dimension that the request chooses
 */
public record TensorSpec(String name, DataType dataType, Shape shape) {

	@Override
	public String toString() {
		return "%s %s %s".formatted(this.name, this.dataType, this.shape);
	}

}
