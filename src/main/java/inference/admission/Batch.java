package inference.admission;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import inference.model.Shape;
import inference.model.Tensor;

/**
 * Joins the inputs of several calls into one call, and splits its outputs. Tensors are
 * joined and split by rows, the first dimension.
 */
final class Batch {

	private Batch() {
	}

	/** The number of rows of the first tensor; 1 if it is a scalar or there is none. */
	static long rowCount(Map<String, Tensor> tensors) {
		if (tensors.isEmpty()) {
			return 1;
		}
		Shape shape = tensors.values().iterator().next().shape();
		return (shape.rank() > 0) ? shape.dimension(0) : 1;
	}

	/** Whether two calls can run together: their rows are of the same shapes. */
	static boolean fits(Map<String, Tensor> call, Map<String, Tensor> other) {
		long rows = rowCount(call);
		long otherRows = rowCount(other);
		for (Map.Entry<String, Tensor> input : call.entrySet()) {
			Shape shape = input.getValue().shape();
			Tensor counterpart = other.get(input.getKey());
			if (counterpart == null || shape.rank() == 0 || shape.rank() != counterpart.shape().rank()
					|| shape.dimension(0) != rows || counterpart.shape().dimension(0) != otherRows
					|| !shape.rowShape().equals(counterpart.shape().rowShape())) {
				return false;
			}
		}
		return true;
	}

	/**
	 * Joins the inputs of calls into the inputs of one call. Those of a single call are
	 * not copied.
	 * @param calls inputs that fit each other
	 */
	static Map<String, Tensor> join(List<Map<String, Tensor>> calls) {
		if (calls.size() == 1) {
			return calls.getFirst();
		}
		Map<String, Tensor> joined = LinkedHashMap.newLinkedHashMap(calls.getFirst().size());
		long rows = calls.stream().mapToLong(Batch::rowCount).sum();
		for (Map.Entry<String, Tensor> first : calls.getFirst().entrySet()) {
			List<Tensor> parts = calls.stream().map((call) -> call.get(first.getKey())).toList();
			Tensor tensor = first.getValue();
			joined.put(first.getKey(), Tensor.join(tensor.dataType(), withRows(tensor.shape(), rows), parts));
		}
		return joined;
	}

	/**
	 * Splits the outputs of a joint call into those of each call. A single call gets the
	 * outputs as they are.
	 * @param outputs the outputs of the joint call
	 * @param rows the number of rows of each call
	 * @throws IllegalStateException if an output's row count differs from the inputs'
	 */
	static List<Map<String, Tensor>> split(Map<String, Tensor> outputs, List<Long> rows) {
		if (rows.size() == 1) {
			return List.of(outputs);
		}
		List<Map<String, Tensor>> calls = new ArrayList<>();
		rows.forEach((_) -> calls.add(LinkedHashMap.newLinkedHashMap(outputs.size())));
		long all = rows.stream().mapToLong(Long::longValue).sum();
		outputs.forEach((name, tensor) -> {
			if (tensor.shape().rank() == 0 || tensor.shape().dimension(0) != all) {
				throw new IllegalStateException("output '%s' is %s for %d rows".formatted(name, tensor, all));
			}
			ByteBuffer rest = tensor.contents();
			for (int i = 0; i < calls.size(); i++) {
				Shape shape = withRows(tensor.shape(), rows.get(i));
				// A view would keep all calls' outputs while one client still reads.
				byte[] contents = new byte[tensor.dataType().byteCount(rest, shape.elementCount())];
				rest.get(contents);
				calls.get(i).put(name, Tensor.of(tensor.dataType(), shape, ByteBuffer.wrap(contents)));
			}
		});
		return calls;
	}

	private static Shape withRows(Shape shape, long rows) {
		long[] dimensions = shape.dimensions();
		dimensions[0] = rows;
		return Shape.of(dimensions);
	}

}
