package inference.lifecycle;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import inference.model.DataType;
import inference.model.Example;
import inference.model.Model;
import inference.model.ModelMetadata;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;
import inference.model.UnusableModelException;

/**
 * Runs a model before anybody waits for it: on its golden examples, which it must get
 * right, and on their inputs, or on zeros if it has none, until it does not get faster
 * any more. So the first client pays for no lazy initialisation, neither in the runtime
 * nor in the JVM, and a corrupt model never becomes ready.
 */
final class WarmUp {

	private static final Logger logger = LoggerFactory.getLogger(WarmUp.class);

	private static final Duration BUDGET = Duration.ofSeconds(2);

	private static final int ROUND = 20;

	// Below this gain from one round to the next, the time is called flat.
	private static final double FLAT = 0.95;

	private final Model model;

	private List<WarmUpStep> steps;

	WarmUp(Model model, List<WarmUpStep> steps) {
		this.model = model;
		this.steps = steps;
	}

	/**
	 * Runs the model, once at least.
	 * @return how often it ran
	 * @throws UnusableModelException if it gets an example wrong
	 * @throws IllegalStateException if it gives other outputs than it declares
	 */
	int run() throws IOException {
		ModelMetadata metadata = ModelMetadata.of(this.model);
		List<Example> examples = metadata.examples();
		for (Example example : examples) {
			String difference = example.difference(infer(example.inputs()));
			if (difference != null) {
				throw new UnusableModelException("The model gets its example wrong: %s.".formatted(difference),
						"Serve the model the example was made with, or make the example anew.", null);
			}
		}
		this.steps.forEach((step) -> step.prepare(metadata, this::infer));
		return examples.isEmpty() ? runOnZeros() : runUntilFlat(examples.getFirst().inputs());
	}

	private int runOnZeros() throws IOException {
		Map<String, Tensor> zeros = zeros(this.model.signature());
		Map<String, Tensor> outputs;
		try {
			outputs = this.model.infer(zeros);
		}
		catch (RuntimeException ex) {
			if (!mayBeOurFault(ex, this.model.signature())) {
				throw ex;
			}
			logger.info("Warm-up ended early, the model cannot use zeros: {}", ex.getMessage());
			return 0;
		}
		this.model.signature().requireOutputs(outputs);
		return runUntilFlat(zeros);
	}

	private int runUntilFlat(Map<String, Tensor> inputs) throws IOException {
		long end = System.nanoTime() + BUDGET.toNanos();
		long before = Long.MAX_VALUE;
		int runs = 0;
		while (System.nanoTime() < end) {
			long start = System.nanoTime();
			for (int i = 0; i < ROUND && System.nanoTime() < end; i++) {
				infer(inputs);
				runs++;
				runSteps(inputs);
			}
			long took = System.nanoTime() - start;
			if (took > FLAT * before) {
				break;
			}
			before = took;
		}
		return runs;
	}

	private void runSteps(Map<String, Tensor> inputs) throws IOException {
		try {
			for (WarmUpStep step : this.steps) {
				step.run(this.model.signature(), inputs, this::infer);
			}
		}
		catch (RuntimeException ex) {
			// What comes out for zeros need not be fit for an answer, NaN is not.
			logger.info("Warm-up goes on without the codecs: {}", ex.getMessage());
			this.steps = List.of();
		}
	}

	private Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		Map<String, Tensor> outputs = this.model.infer(inputs);
		this.model.signature().requireOutputs(outputs);
		return outputs;
	}

	// Zeros need not make sense to this model, nor need 1 where a size is open: an image
	// smaller than the kernel is, in ONNX Runtime's words, a failure.
	private static boolean mayBeOurFault(RuntimeException failure, Signature signature) {
		return failure instanceof IllegalArgumentException || signature.inputs()
			.stream()
			.map(TensorSpec::shape)
			.anyMatch((shape) -> shape.isBatched() ? shape.row().isVariable() : shape.isVariable());
	}

	private static Map<String, Tensor> zeros(Signature signature) {
		Map<String, Tensor> zeros = new LinkedHashMap<>();
		for (TensorSpec spec : signature.inputs()) {
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
