package inference.admission;

import java.util.Map;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * The memory that a call's outputs take on the Java heap, in bytes.
 */
final class OutputSize {

	// A text is a Java string, its array and a reference before it is part of a tensor.
	private static final int TEXT_BYTES = 64;

	private OutputSize() {
	}

	/**
	 * The size to expect before the call: a dimension that the signature leaves open
	 * counts as 1, except for the batch.
	 */
	static long expected(Signature signature, Map<String, Tensor> inputs) {
		long rows = inputs.isEmpty() ? 1 : Batch.rows(inputs);
		long bytes = 0;
		for (TensorSpec output : signature.outputs()) {
			double elements = output.shape().isBatched() ? rows : 1;
			for (long dimension : output.shape().dimensions()) {
				elements *= (dimension == Shape.VARIABLE) ? 1 : dimension;
			}
			bytes += (long) (elements
					* ((output.dataType() == DataType.BYTES) ? TEXT_BYTES : output.dataType().width()));
		}
		return bytes;
	}

	static long of(Map<String, Tensor> outputs) {
		return outputs.values().stream().mapToLong((output) -> output.contents().remaining()).sum();
	}

}
