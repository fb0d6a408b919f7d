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
import inference.model.Signature;
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
			Map<String, Tensor> outputs;
			try {
				outputs = model.infer(zeros);
			}
			catch (RuntimeException ex) {
				if (!mayBeOurFault(ex, model.signature())) {
					throw ex;
				}
				logger.info("Warm-up ended early, the model cannot use zeros: {}", ex.getMessage());
				return runs;
			}
			model.signature().requireOutputs(outputs);
			runs++;
		}
		while (runs < RUNS && System.nanoTime() < end);
		return runs;
	}

	// Zeros need not make sense to this model, nor need 1 where a size is open: an image
	// smaller than the kernel is, in ONNX Runtime's words, a failure.
	private static boolean mayBeOurFault(RuntimeException failure, Signature signature) {
		return failure instanceof IllegalArgumentException || signature.inputs()
			.stream()
			.map(TensorSpec::shape)
			.anyMatch((shape) -> shape.isBatched() ? shape.row().isVariable() : shape.isVariable());
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
