package inference.admission;

import java.util.Map;

import inference.model.DataType;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * An admitted request's share of the memory budget, and its deadline. The reservation is
 * closed when the answer is sent. Only one thread at a time may use it.
 */
public final class Reservation implements AutoCloseable {

	// The memory of one request for its headers, its connection's buffers and the stack
	// of its thread.
	private static final long REQUEST_OVERHEAD_BYTES = 136 * 1024;

	// The estimated heap memory of one output text: String, byte array and reference.
	private static final int ESTIMATED_TEXT_BYTES = 64;

	// ONNX Runtime takes up to 19 bytes of native memory for each byte of a text that the
	// model splits into words, and 96 for each text. A tensor has 4 bytes for each text's
	// length, so 24 for each byte cover both. The factor is three times as large, because
	// the heap may already have its full size, which leaves only a third of the budget
	// for native memory.
	private static final int INPUT_TEXT_MEMORY_FACTOR = 72;

	// The native memory that ONNX Runtime takes for one entry of a map in an output.
	private static final int MAP_ENTRY_BYTES = 96;

	private final MemoryBudget memoryBudget;

	private final Deadline deadline;

	private long heldBytes;

	Reservation(MemoryBudget memoryBudget, Deadline deadline) {
		this.memoryBudget = memoryBudget;
		this.deadline = deadline;
		add(REQUEST_OVERHEAD_BYTES);
	}

	public Deadline deadline() {
		return this.deadline;
	}

	/**
	 * Reserves more memory, before it is allocated.
	 * @param bytes the additional memory, in bytes; a negative number gives memory back
	 * @throws Rejection if the request would exceed the limit of a single request, or if
	 * other requests hold the memory now
	 */
	public void add(long bytes) {
		this.memoryBudget.add(bytes, this.heldBytes);
		this.heldBytes += bytes;
	}

	/**
	 * Reserves the expected memory of a call: the outputs, the native memory of input
	 * texts, and that of maps in the outputs. A variable dimension of an output counts as
	 * the number of input rows if it is the first, and as 1 if it is another.
	 * @return the expected memory, in bytes
	 */
	long addExpectedCallMemory(Signature signature, Map<String, Tensor> inputs) {
		long rowCount = Batch.rowCount(inputs);
		// The sum is a double, because a long could overflow.
		double expectedBytes = INPUT_TEXT_MEMORY_FACTOR * (double) textBytes(inputs);
		for (TensorSpec output : signature.outputs()) {
			expectedBytes += output.elementCount(rowCount, 1) * bytesPerElement(output);
		}
		add((long) expectedBytes);
		return (long) expectedBytes;
	}

	private static int bytesPerElement(TensorSpec output) {
		int elementBytes = (output.dataType() == DataType.BYTES) ? ESTIMATED_TEXT_BYTES : output.dataType().width();
		return output.keys().isEmpty() ? elementBytes : elementBytes + MAP_ENTRY_BYTES;
	}

	private static long textBytes(Map<String, Tensor> inputs) {
		return Tensor
			.totalBytes(inputs.values().stream().filter((input) -> input.dataType() == DataType.BYTES).toList());
	}

	@Override
	public void close() {
		add(-this.heldBytes);
	}

}
