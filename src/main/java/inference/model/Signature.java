package inference.model;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

/**
 * The inputs and outputs of a model, in the model's order. There is at least one output.
 * Names are unique among the inputs and among the outputs.
 *
 * @param inputs the tensors that a request must contain
 * @param outputs the tensors that a request can ask for
 */
public record Signature(List<TensorSpec> inputs, List<TensorSpec> outputs) {

	public Signature {
		inputs = List.copyOf(inputs);
		outputs = List.copyOf(outputs);
		requireDistinctNames("inputs", inputs);
		requireDistinctNames("outputs", outputs);
		if (outputs.isEmpty()) {
			throw new IllegalArgumentException("a signature needs outputs");
		}
	}

	/**
	 * Whether the rows of several requests can be put into one call: there are inputs,
	 * and every input and output has the batch as first dimension and a known rank.
	 */
	public boolean isBatchable() {
		return !this.inputs.isEmpty() && Stream.concat(this.inputs.stream(), this.outputs.stream())
			.map(TensorSpec::shape)
			.allMatch(Shape::isBatchOfKnownRank);
	}

	/** Whether the first dimension of at least one input is the batch. */
	public boolean hasBatchedInput() {
		return this.inputs.stream().anyMatch((input) -> input.shape().isBatched());
	}

	/** Whether at least one input is {@link DataType#BYTES}. */
	public boolean hasTextInput() {
		return this.inputs.stream().anyMatch((input) -> input.dataType() == DataType.BYTES);
	}

	public @Nullable TensorSpec input(String name) {
		return find(this.inputs, name);
	}

	public @Nullable TensorSpec output(String name) {
		return find(this.outputs, name);
	}

	/**
	 * Whether the tensors are exactly the inputs, with data types and shapes that fit.
	 */
	public boolean acceptsInputs(Map<String, Tensor> tensors) {
		return tensors.size() == this.inputs.size()
				&& this.inputs.stream().allMatch((input) -> input.accepts(tensors.get(input.name())));
	}

	/**
	 * Returns empty outputs for a request without rows. If an input has a batch, only the
	 * inputs with a batch decide whether there are rows. An input without a batch may be
	 * the state of a recurrent model.
	 * @param tensors the inputs
	 * @return tensors without rows; {@code null} if the model must run
	 * @throws IllegalArgumentException if only some inputs have rows, if no input has
	 * elements although each could, or if there are no rows and an output has no batch or
	 * an unknown rank
	 */
	@Nullable Map<String, Tensor> emptyOutputsIfNoRows(Map<String, Tensor> tensors) {
		if (tensors.values().stream().allMatch((tensor) -> tensor.shape().elementCount() > 0)) {
			return null;
		}
		boolean hasBatch = hasBatchedInput();
		List<Shape> shapes = this.inputs.stream()
			.filter((input) -> input.shape().isBatched() == hasBatch)
			.map((input) -> Objects.requireNonNull(tensors.get(input.name())).shape())
			.toList();
		boolean haveAllNoRows = hasBatch && shapes.stream().allMatch(Signature::hasNoRows);
		if (haveAllNoRows && this.outputs.stream().map(TensorSpec::shape).allMatch(Shape::isBatchOfKnownRank)) {
			return TensorSpec.zeros(this.outputs, 0, 0);
		}
		boolean haveSomeNoRows = hasBatch && shapes.stream().anyMatch(Signature::hasNoRows);
		// An input that is declared with a dimension of size 0 never has elements.
		boolean couldAllHaveElements = this.inputs.stream().allMatch((input) -> input.elementCount(1, 1) > 0);
		boolean haveAllNoElements = shapes.stream().allMatch((shape) -> shape.elementCount() == 0);
		if (haveSomeNoRows || (couldAllHaveElements && haveAllNoElements)) {
			throw new IllegalArgumentException(
					"an input has no rows, or its rows have no elements: send a row with elements");
		}
		return null;
	}

	private static boolean hasNoRows(Shape shape) {
		return shape.rank() > 0 && shape.dimension(0) == 0;
	}

	/**
	 * Checks the outputs of a call.
	 * @param outputs tensors by name
	 * @throws InvalidOutputException if the tensors are not exactly the declared outputs,
	 * each of the declared data type and of a shape that fits
	 */
	public void requireOutputs(Map<String, Tensor> outputs) {
		for (TensorSpec spec : this.outputs) {
			Tensor tensor = outputs.get(spec.name());
			if (tensor == null) {
				throw new InvalidOutputException("the model did not return output '%s'".formatted(spec.name()));
			}
			if (!spec.accepts(tensor)) {
				throw new InvalidOutputException(
						"the model declares output %s, but returned %s".formatted(spec, tensor));
			}
		}
		if (outputs.size() != this.outputs.size()) {
			throw new InvalidOutputException(
					"the model returned %d outputs, but declares %d".formatted(outputs.size(), this.outputs.size()));
		}
	}

	private static @Nullable TensorSpec find(List<TensorSpec> specs, String name) {
		return specs.stream().filter((spec) -> spec.name().equals(name)).findFirst().orElse(null);
	}

	private static void requireDistinctNames(String listName, List<TensorSpec> specs) {
		Set<String> names = new HashSet<>();
		for (TensorSpec spec : specs) {
			if (!names.add(spec.name())) {
				throw new IllegalArgumentException(
						"two %s of the signature have the name '%s'".formatted(listName, spec.name()));
			}
		}
	}

}
