package inference.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.SequenceInfo;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the signature of an ONNX model. The declaration in the file is not enough,
 * because many models return other shapes, and because only the outputs of a run show the
 * keys of maps. So trial runs are made while the model is loaded. Their inputs are zeros,
 * or those of the model's examples if it cannot run on zeros.
 */
final class OnnxSignatureFinder {

	private static final Logger logger = LoggerFactory.getLogger(OnnxSignatureFinder.class);

	// Trial runs have 1 and 2 rows.
	private static final int MAX_ROWS = 2;

	// Variable inner dimensions have the size 1 in the first runs and this size in later
	// runs, or a smaller size if the inputs would be too large.
	private static final int LARGE_INNER_SIZE = 64;

	// Inputs above this size may not fit into the heap, and a run on them takes long.
	private static final int MAX_INPUT_BYTES = 16 << 20;

	private final Function<Map<String, Tensor>, List<TensorSpec>> trialRun;

	private final String examplesJson;

	private final Set<String> namesOfUnknownRank;

	private final List<List<TensorSpec>> observedOutputs = new ArrayList<>();

	/** The names of outputs with another number of rows than the first input. */
	private final Set<String> outputsWithOtherRowCount = new HashSet<>();

	private String lastFailureMessage = "";

	/**
	 * @param trialRun runs the model and returns {@link OnnxOutputs#specs}
	 * @param examplesJson the examples in the file's metadata
	 * @param namesOfUnknownRank the names of the inputs and outputs of undeclared rank
	 */
	OnnxSignatureFinder(Function<Map<String, Tensor>, List<TensorSpec>> trialRun, String examplesJson,
			Set<String> namesOfUnknownRank) {
		this.trialRun = trialRun;
		this.examplesJson = examplesJson;
		this.namesOfUnknownRank = namesOfUnknownRank;
	}

	/**
	 * Finds the signature.
	 * @throws IllegalArgumentException if an input, an output or the examples cannot be
	 * used
	 */
	Signature find(Collection<NodeInfo> declaredInputs, Collection<NodeInfo> declaredOutputs) {
		List<TensorSpec> inputs = declaredInputs.stream()
			.map(OnnxTensors::inputSpec)
			.map(this::withAnyShapeIfRankUnknown)
			.toList();
		runTrials(inputs);
		if (this.observedOutputs.isEmpty() && !this.namesOfUnknownRank.isEmpty()) {
			// Where the rank is unknown, the model may take only a scalar.
			runTrials(inputs.stream()
				.map((input) -> input.shape().hasUnknownRank() ? input.withShape(Shape.of()) : input)
				.toList());
		}
		if (this.lastFailureMessage.contains("Invalid input name")
				|| this.lastFailureMessage.contains("Invalid output name")) {
			throw new IllegalArgumentException(("the name of an input or output has a character outside of Unicode's"
					+ " basic plane, which ONNX Runtime's Java API changes; rename it (%s)")
				.formatted(this.lastFailureMessage));
		}
		return new Signature(inputs,
				declaredOutputs.stream().flatMap((output) -> outputSpecs(output).stream()).toList());
	}

	private TensorSpec withAnyShapeIfRankUnknown(TensorSpec spec) {
		return this.namesOfUnknownRank.contains(spec.name()) ? spec.withShape(Shape.UNKNOWN_RANK) : spec;
	}

	private void runTrials(List<TensorSpec> inputs) {
		runOnZeros(inputs, 1);
		if (inputs.stream().anyMatch(TensorSpec::hasVariableInnerSize)) {
			int innerSize = LARGE_INNER_SIZE;
			while (innerSize > 2 && !areInputsSmall(inputs, MAX_ROWS, innerSize)) {
				innerSize /= 2;
			}
			runOnZeros(inputs, innerSize);
		}
		if (this.observedOutputs.isEmpty()) {
			Example.readInputs(this.examplesJson, inputs).forEach(this::tryRun);
		}
	}

	private void runOnZeros(List<TensorSpec> inputs, int innerSize) {
		for (int rowCount = MAX_ROWS; rowCount > 0; rowCount--) {
			if (areInputsSmall(inputs, rowCount, innerSize)) {
				tryRun(TensorSpec.zeros(inputs, rowCount, innerSize));
			}
		}
	}

	private static boolean areInputsSmall(List<TensorSpec> inputs, int rowCount, int innerSize) {
		return inputs.stream().mapToDouble((input) -> input.minBytes(rowCount, innerSize)).sum() <= MAX_INPUT_BYTES;
	}

	private void tryRun(Map<String, Tensor> inputs) {
		try {
			List<TensorSpec> outputs = this.trialRun.apply(inputs);
			Shape inputShape = inputs.isEmpty() ? Shape.UNKNOWN_RANK : inputs.values().iterator().next().shape();
			outputs.stream()
				.filter((output) -> !haveSameRowCount(inputShape, output.shape()))
				.forEach((output) -> this.outputsWithOtherRowCount.add(output.name()));
			this.observedOutputs.add(outputs);
		}
		catch (RuntimeException ex) {
			logger.debug("The model cannot run on {}: {}", inputs, ex.getMessage());
			this.lastFailureMessage = String.valueOf(ex.getMessage());
		}
	}

	private static boolean haveSameRowCount(Shape inputShape, Shape outputShape) {
		return inputShape.rank() > 0 && outputShape.rank() > 0 && inputShape.dimension(0) == outputShape.dimension(0);
	}

	private List<TensorSpec> outputSpecs(NodeInfo declaredOutput) {
		String name = declaredOutput.getName();
		if (!(declaredOutput.getInfo() instanceof SequenceInfo)) {
			return List
				.of(withObservedShape(withAnyShapeIfRankUnknown(OnnxTensors.declaredSpec("output", declaredOutput))));
		}
		// OnnxOutputs gives a sequence its own name, or the names name.0, name.1 and so
		// on.
		List<TensorSpec> outputs = this.observedOutputs.stream()
			.limit(1)
			.flatMap(List::stream)
			.filter((output) -> output.name().equals(name) || output.name().matches(Pattern.quote(name) + "\\.\\d+"))
			.map((output) -> output.withShape(shapeInAllTrials(output)))
			.toList();
		if (outputs.isEmpty() && this.lastFailureMessage.contains("Unsupported type in a sequence")) {
			throw new IllegalArgumentException(
					("output '%s' is a sequence of a type that ONNX Runtime's Java API cannot"
							+ " read; cast it to FP32, FP64, INT64 or a string inside the model")
						.formatted(name));
		}
		if (outputs.isEmpty()) {
			throw new IllegalArgumentException(("output '%s' is a sequence, and the model must run once to show its"
					+ " contents, but no trial run showed them%s; add examples to the model's metadata '%s'")
				.formatted(name, this.lastFailureMessage.isEmpty() ? "" : " (%s)".formatted(this.lastFailureMessage),
						Example.METADATA_KEY));
		}
		return outputs;
	}

	private TensorSpec withObservedShape(TensorSpec declaredSpec) {
		Shape declaredShape = declaredSpec.shape();
		Optional<TensorSpec> contradictingSpec = observedSpecs(declaredSpec.name())
			.filter((observedSpec) -> !declaredShape.accepts(observedSpec.shape()))
			.findFirst();
		if (contradictingSpec.isPresent()) {
			logger.warn(
					"The model declares output {}, but its shape can be {}. The server answers with the shape that the"
							+ " model gives, and does not batch requests.",
					declaredSpec, contradictingSpec.get().shape());
			return declaredSpec.withShape(Shape.UNKNOWN_RANK);
		}
		return this.outputsWithOtherRowCount.contains(declaredSpec.name())
				? declaredSpec.withShape(declaredShape.withoutBatch()) : declaredSpec;
	}

	// Dimension 0 is the batch, so it is variable. Another dimension is variable if its
	// size differs between the trial runs. If the number of rows differs from that of the
	// inputs, every shape is accepted.
	private Shape shapeInAllTrials(TensorSpec output) {
		if (this.outputsWithOtherRowCount.contains(output.name())) {
			return Shape.UNKNOWN_RANK;
		}
		long[] dimensions = output.shape().dimensions();
		observedSpecs(output.name()).map(TensorSpec::shape)
			.filter((otherShape) -> otherShape.rank() == dimensions.length)
			.forEach((otherShape) -> {
				for (int i = 0; i < dimensions.length; i++) {
					boolean isFixed = i > 0 && dimensions[i] == otherShape.dimension(i);
					dimensions[i] = isFixed ? dimensions[i] : Shape.VARIABLE;
				}
			});
		return Shape.of(dimensions);
	}

	/** The specs that one output had in the trial runs. */
	private Stream<TensorSpec> observedSpecs(String name) {
		return this.observedOutputs.stream().flatMap(List::stream).filter((output) -> output.name().equals(name));
	}

}
