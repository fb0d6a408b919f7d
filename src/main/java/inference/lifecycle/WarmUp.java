package inference.lifecycle;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import inference.model.DataType;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Runs a model on zeros before anybody waits for it, so that the first client does not
 * pay for lazy initialisation in the runtime and in the JVM.
 */
final class WarmUp {

	private static final Logger logger = LoggerFactory.getLogger(WarmUp.class);

	private static final int RUNS = 50;

	private static final Duration BUDGET = Duration.ofSeconds(2);

	private WarmUp() {
	}

	/**
	 * Runs the model until the runs or the budget are used up, but once at least.
	 * @param model a loaded model
	 * @return how often it ran
	 * @throws IllegalStateException if the model gives other outputs than it declares
	 */
	static int run(Model model) {
		Map<String, Tensor> zeros = zeros(model);
		long end = System.nanoTime() + BUDGET.toNanos();
		int runs = 0;
		do {
			try {
				model.signature().requireOutputs(model.infer(zeros));
			}
			catch (IllegalArgumentException ex) {
				// Zeros need not be input that makes sense to this model.
				logger.info("Warm-up ended early, the model cannot use zeros: {}", ex.getMessage());
				return runs;
			}
			runs++;
		}
		while (runs < RUNS && System.nanoTime() < end);
		return runs;
	}

	private static Map<String, Tensor> zeros(Model model) {
		Map<String, Tensor> zeros = new LinkedHashMap<>();
		for (TensorSpec spec : model.signature().inputs()) {
			long[] dimensions = spec.shape().dimensions();
			for (int i = 0; i < dimensions.length; i++) {
				dimensions[i] = (dimensions[i] == Shape.VARIABLE) ? 1 : dimensions[i];
			}
			Shape shape = Shape.of(dimensions);
			int width = (spec.dataType() == DataType.BYTES) ? Integer.BYTES : spec.dataType().width();
			int size = Math.toIntExact(Math.multiplyExact(shape.elements(), width));
			zeros.put(spec.name(), Tensor.of(spec.dataType(), shape, ByteBuffer.allocate(size)));
		}
		return zeros;
	}

}
