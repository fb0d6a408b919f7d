package inference.admission;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import inference.model.Shape;
import inference.model.Tensor;

/**
 * Joins the inputs of several calls into one joint call, and splits the outputs of the
 * joint call. Tensors are joined and split along the first dimension, the rows.
 */
final class Batch {

	private Batch() {
	}

	/** The number of rows of the first tensor; 1 for a scalar or an empty map. */
	static long rowCount(Map<String, Tensor> tensors) {
		if (tensors.isEmpty()) {
			return 1;
		}
		Shape shape = tensors.values().iterator().next().shape();
		return (shape.rank() > 0) ? shape.dimension(0) : 1;
	}

	/** Whether two calls can run together, which needs rows of the same shapes. */
	static boolean canJoin(Map<String, Tensor> inputs, Map<String, Tensor> otherInputs) {
		long rowCount = rowCount(inputs);
		long otherRowCount = rowCount(otherInputs);
		for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
			Shape shape = input.getValue().shape();
			Tensor otherInput = otherInputs.get(input.getKey());
			if (otherInput == null || shape.rank() == 0 || shape.rank() != otherInput.shape().rank()
					|| shape.dimension(0) != rowCount || otherInput.shape().dimension(0) != otherRowCount
					|| !shape.rowShape().equals(otherInput.shape().rowShape())) {
				return false;
			}
		}
		return true;
	}

	/**
	 * Joins the inputs of calls into the inputs of one joint call. The inputs of a single
	 * call are returned without a copy.
	 * @param inputsOfCalls the inputs of each call, which {@link #canJoin can join} those
	 * of the first call
	 */
	static Map<String, Tensor> join(List<Map<String, Tensor>> inputsOfCalls) {
		if (inputsOfCalls.size() == 1) {
			return inputsOfCalls.getFirst();
		}
		Map<String, Tensor> joinedInputs = LinkedHashMap.newLinkedHashMap(inputsOfCalls.getFirst().size());
		long totalRows = inputsOfCalls.stream().mapToLong(Batch::rowCount).sum();
		inputsOfCalls.getFirst().forEach((name, tensor) -> {
			List<Tensor> parts = inputsOfCalls.stream().map((inputs) -> inputs.get(name)).toList();
			joinedInputs.put(name, Tensor.join(tensor.dataType(), withRowCount(tensor.shape(), totalRows), parts));
		});
		return joinedInputs;
	}

	/**
	 * Splits the outputs of a joint call into the outputs of each call. The outputs for a
	 * single call are returned without a copy.
	 * @param rowCounts the number of rows of each call
	 * @throws IllegalStateException if an output does not have as many rows as the inputs
	 */
	static List<Map<String, Tensor>> split(Map<String, Tensor> outputs, List<Long> rowCounts) {
		if (rowCounts.size() == 1) {
			return List.of(outputs);
		}
		List<Map<String, Tensor>> outputsOfCalls = new ArrayList<>();
		rowCounts.forEach((_) -> outputsOfCalls.add(LinkedHashMap.newLinkedHashMap(outputs.size())));
		long totalRows = rowCounts.stream().mapToLong(Long::longValue).sum();
		outputs.forEach((name, tensor) -> {
			if (tensor.shape().rank() == 0 || tensor.shape().dimension(0) != totalRows) {
				throw new IllegalStateException("output '%s' is %s, not %d rows".formatted(name, tensor, totalRows));
			}
			ByteBuffer remainingContents = tensor.contents();
			for (int i = 0; i < outputsOfCalls.size(); i++) {
				Shape shape = withRowCount(tensor.shape(), rowCounts.get(i));
				// A view would keep the outputs of all calls in memory until the last
				// client has read its answer, so each call gets a copy.
				byte[] contents = new byte[tensor.dataType().byteCount(remainingContents, shape.elementCount())];
				remainingContents.get(contents);
				outputsOfCalls.get(i).put(name, Tensor.of(tensor.dataType(), shape, ByteBuffer.wrap(contents)));
			}
		});
		return outputsOfCalls;
	}

	private static Shape withRowCount(Shape shape, long rowCount) {
		long[] dimensions = shape.dimensions();
		dimensions[0] = rowCount;
		return Shape.of(dimensions);
	}

}
