package inference.model;

import java.nio.ByteBuffer;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * A golden example: what a model must answer, or it is not the model it should be.
 *
 * @param inputs the signature's inputs
 * @param outputs what must come out, some or all of the outputs
 * @param tolerance how far a floating point number may be off, absolutely or relative to
 * the expected one
 */
public record Example(Map<String, Tensor> inputs, Map<String, Tensor> outputs, double tolerance) {

	public Example {
		inputs = Map.copyOf(inputs);
		outputs = Map.copyOf(outputs);
	}

	/**
	 * Compares what came out with what should have.
	 * @param actual the model's outputs
	 * @return the first difference in one sentence, or {@code null} if there is none
	 */
	public @Nullable String difference(Map<String, Tensor> actual) {
		for (Map.Entry<String, Tensor> expected : this.outputs.entrySet()) {
			String difference = difference(expected.getValue(), actual.get(expected.getKey()));
			if (difference != null) {
				return "output '%s' %s".formatted(expected.getKey(), difference);
			}
		}
		return null;
	}

	private @Nullable String difference(Tensor expected, @Nullable Tensor actual) {
		if (actual == null || actual.dataType() != expected.dataType() || !actual.shape().equals(expected.shape())) {
			return "is %s instead of %s".formatted(actual, expected);
		}
		ByteBuffer wanted = expected.contents();
		ByteBuffer found = actual.contents();
		for (long i = 0; wanted.hasRemaining(); i++) {
			switch (expected.dataType()) {
				case FP32 -> {
					float want = wanted.getFloat();
					float have = found.getFloat();
					if (!isClose(want, have)) {
						return "is %s instead of %s at element %d".formatted(have, want, i);
					}
				}
				case FP64 -> {
					double want = wanted.getDouble();
					double have = found.getDouble();
					if (!isClose(want, have)) {
						return "is %s instead of %s at element %d".formatted(have, want, i);
					}
				}
				case BYTES -> {
					return expected.strings().equals(actual.strings()) ? null
							: "is %s instead of %s".formatted(actual.strings(), expected.strings());
				}
				default -> {
					if (wanted.get() != found.get()) {
						return "differs at byte %d".formatted(i);
					}
				}
			}
		}
		return null;
	}

	private boolean isClose(double want, double have) {
		return Double.compare(want, have) == 0 || Math.abs(want - have) <= this.tolerance * Math.max(1, Math.abs(want));
	}

}
