package inference.lifecycle;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.util.StringUtils;

import inference.model.DeviceLostException;
import inference.model.Example;
import inference.model.Model;
import inference.model.ModelMetadata;
import inference.model.Tensor;
import inference.model.TensorSpec;
import inference.model.UnusableModelException;

/**
 * Runs a model before it serves. First it runs each golden example, and the model must
 * return the expected outputs. Then it runs the first example, or zeros if there is none,
 * in rounds of 20 runs, for 2 seconds or until a round is hardly faster than the round
 * before it. So the first client does not wait for lazy initialisation in the model.
 */
record WarmUp(Model model, ModelMetadata metadata, List<WarmUpListener> listeners) {

	private static final Logger logger = LoggerFactory.getLogger(WarmUp.class);

	private static final Duration MAX_ROUNDS_TIME = Duration.ofSeconds(2);

	private static final int RUNS_PER_ROUND = 20;

	// The warm-up ends when a round takes over 95 % of the previous round's time.
	private static final double MAX_ROUND_RATIO = 0.95;

	// These sizes are tried in variable dimensions other than the first. A model may
	// refuse images smaller than its kernels, and sounds shorter than its window.
	private static final int[] VARIABLE_DIMENSION_SIZES = { 1, 16, 64, 224, 512 };

	// A size above 1 is not tried if an input would then have more elements than this,
	// because the input may not fit into the memory.
	private static final long MAX_INPUT_ELEMENTS = 1 << 22;

	/**
	 * Runs the whole warm-up.
	 * @return the number of timed runs; 0 if the model has no examples and refuses zeros
	 */
	int run() {
		List<Example> examples = this.metadata.examples();
		for (Example example : examples) {
			String difference = example.difference(runExample(example));
			if (difference != null) {
				throw new UnusableModelException("The model gets its example wrong: %s.".formatted(difference),
						"Serve the model that the example was made with, or make the example again.", null);
			}
		}
		this.listeners.forEach((listener) -> listener.beforeTimedRuns(this.metadata, this::inferAndCheckOutputs));
		Map<String, Tensor> inputs = examples.isEmpty() ? findAcceptedZeros() : examples.getFirst().inputs();
		return (inputs != null) ? runUntilNoFaster(inputs) : 0;
	}

	private Map<String, Tensor> runExample(Example example) {
		try {
			return inferAndCheckOutputs(example.inputs());
		}
		catch (IllegalArgumentException | IllegalStateException ex) {
			String reason = StringUtils.trimTrailingCharacter(String.valueOf(ex.getMessage()), '.');
			throw new UnusableModelException("The model cannot run its example: %s.".formatted(reason),
					"Make the example again, with inputs that the model accepts.", ex);
		}
	}

	/** Finds zeros that the model accepts; {@code null} if it refuses all sizes. */
	private @Nullable Map<String, Tensor> findAcceptedZeros() {
		List<TensorSpec> inputs = this.metadata.signature().inputs();
		boolean hasVariableInnerSize = inputs.stream().anyMatch(TensorSpec::hasVariableInnerSize);
		int[] sizes = hasVariableInnerSize ? VARIABLE_DIMENSION_SIZES : new int[] { 1 };
		String firstRefusal = null;
		for (int size : sizes) {
			if (size > 1 && inputs.stream().anyMatch((input) -> input.elementCount(1, size) > MAX_INPUT_ELEMENTS)) {
				break;
			}
			Map<String, Tensor> zeros = TensorSpec.zeros(inputs, 1, size);
			Map<String, Tensor> outputs;
			try {
				outputs = this.model.infer(zeros);
			}
			catch (DeviceLostException | UnusableModelException ex) {
				throw ex;
			}
			catch (RuntimeException ex) {
				firstRefusal = (firstRefusal != null) ? firstRefusal : String.valueOf(ex.getMessage());
				continue;
			}
			// Outputs that are not valid are a failure, and not a refusal.
			this.metadata.signature().requireOutputs(outputs);
			if (firstRefusal != null) {
				logger.info("The warm-up runs the model on zeros of the size {}, because it refused the size 1: {}",
						size, firstRefusal);
			}
			return zeros;
		}
		logger.warn(
				"The model is not warmed up, so its first predictions are slower: it has no golden examples, and it"
						+ " refused zeros{}: {}. Add an example to the model, and the warm-up uses its inputs",
				hasVariableInnerSize ? " of the sizes " + Arrays.toString(sizes) : "", firstRefusal);
		return null;
	}

	private int runUntilNoFaster(Map<String, Tensor> inputs) {
		long endNanos = System.nanoTime() + MAX_ROUNDS_TIME.toNanos();
		long previousRoundNanos = Long.MAX_VALUE;
		int runCount = 0;
		while (System.nanoTime() < endNanos) {
			long roundStartNanos = System.nanoTime();
			for (int i = 0; i < RUNS_PER_ROUND && System.nanoTime() < endNanos; i++) {
				long runStartNanos = System.nanoTime();
				inferAndCheckOutputs(inputs);
				long runNanos = System.nanoTime() - runStartNanos;
				this.listeners.forEach((listener) -> listener.afterTimedRun(runNanos));
				runCount++;
			}
			long roundNanos = System.nanoTime() - roundStartNanos;
			if (roundNanos > MAX_ROUND_RATIO * previousRoundNanos) {
				break;
			}
			previousRoundNanos = roundNanos;
		}
		return runCount;
	}

	private Map<String, Tensor> inferAndCheckOutputs(Map<String, Tensor> inputs) {
		Map<String, Tensor> outputs = this.model.infer(inputs);
		this.metadata.signature().requireOutputs(outputs);
		return outputs;
	}

}
