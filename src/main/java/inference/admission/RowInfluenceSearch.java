package inference.admission;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import inference.model.DataType;
import inference.model.DeviceLostException;
import inference.model.Example;
import inference.model.ModelMetadata;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorComparison;
import inference.model.TensorSpec;

/**
 * A search for rows whose outputs change when other rows are in the same batch. It runs
 * rows alone and then in random batches, and compares the outputs. It can find an
 * influence between rows, but cannot prove that there is none.
 */
final class RowInfluenceSearch {

	private static final long MAX_SEARCH_NANOS = 1_000_000_000;

	// Half of the time is left for batches.
	private static final long MAX_RUN_ALONE_NANOS = MAX_SEARCH_NANOS / 2;

	// No further rows are run alone once the rows kept for comparison exceed this size.
	private static final long MAX_KEPT_BYTES = 8 << 20;

	private static final int GENERATED_ROW_COUNT = 20;

	private static final int BATCHES_PER_ROW = 8;

	// These sizes are tried in variable dimensions other than the first. 64 and 224 suit
	// images, and 512 suits audio.
	private static final int[] VARIABLE_DIMENSION_SIZES = { 6, 1, 64, 224, 512 };

	// In a batch a matrix product may add its terms in another order, which changes the
	// rounding. The tolerances are relative to the largest value. Those for FP16 and BF16
	// are 8 to 16 units in the last place of the largest value.
	private static final Map<DataType, Double> TOLERANCES = Map.of(DataType.FP16, 1.0 / 128, DataType.BF16, 1.0 / 16);

	private static final double DEFAULT_TOLERANCE = 1e-4;

	private final ModelMetadata metadata;

	private final int maxRows;

	private final UnaryOperator<Map<String, Tensor>> modelFunction;

	private final Random shuffle = new Random(1);

	private final RandomRows randomRows;

	private final long startNanos = System.nanoTime();

	private int comparedBatchCount;

	private @Nullable String lastRefusal;

	/** Creates a search. {@code maxRows} is the size of the largest batch, at least 2. */
	RowInfluenceSearch(ModelMetadata metadata, int maxRows, UnaryOperator<Map<String, Tensor>> modelFunction) {
		this.metadata = metadata;
		this.randomRows = new RandomRows(metadata.signature().inputs());
		this.maxRows = maxRows;
		this.modelFunction = modelFunction;
	}

	private record Row(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
	}

	/**
	 * Searches for about one second. The search takes longer if the model needs more time
	 * to run two rows, first alone and then together.
	 * @throws DeviceLostException if the model cannot run any more
	 */
	Batching.Decision decide() {
		for (Map.Entry<List<Shape>, List<Map<String, Tensor>>> group : exampleRowsByShapes().entrySet()) {
			String difference = firstDifference(runAlone(group.getKey(), group.getValue()));
			if (difference != null) {
				return new Batching.Decision(1, difference);
			}
			boolean hasExamples = !group.getValue().isEmpty();
			if (this.comparedBatchCount > 0 && (!hasExamples || hasElapsed(MAX_SEARCH_NANOS))) {
				break;
			}
		}
		if (this.comparedBatchCount == 0) {
			return new Batching.Decision(1,
					"no batch could be compared, because the model refused the generated input (%s); add two rows of the same shape to its examples"
						.formatted(this.lastRefusal));
		}
		String refusalClause = (this.lastRefusal != null)
				? "; the model refused some generated input: " + this.lastRefusal : "";
		return new Batching.Decision(this.maxRows,
				"no influence between rows found, batches compared: " + this.comparedBatchCount + refusalClause);
	}

	// Only rows of the same shapes are batched. The shapes without examples come last.
	private Map<List<Shape>, List<Map<String, Tensor>>> exampleRowsByShapes() {
		List<TensorSpec> inputs = this.metadata.signature().inputs();
		Map<List<Shape>, List<Map<String, Tensor>>> groups = this.metadata.examples()
			.stream()
			.map(Example::inputs)
			.filter((example) -> Batch.canJoin(example, example))
			.flatMap((example) -> Batch.split(example, Collections.nCopies((int) Batch.rowCount(example), 1L)).stream())
			.collect(Collectors.groupingBy((row) -> inputs.stream()
				.map((input) -> Objects.requireNonNull(row.get(input.name())).shape())
				.toList(), LinkedHashMap::new, Collectors.toList()));
		for (int size : VARIABLE_DIMENSION_SIZES) {
			groups.putIfAbsent(inputs.stream().map((input) -> input.shape().withSizes(1, size)).toList(), List.of());
		}
		return groups;
	}

	// The examples come after two generated rows, which differ in scale, range and
	// length. So a search that ends early has compared different rows.
	private List<Row> runAlone(List<Shape> shapes, List<Map<String, Tensor>> exampleRows) {
		List<Supplier<Map<String, Tensor>>> candidates = new ArrayList<>();
		for (int i = 0; i < GENERATED_ROW_COUNT; i++) {
			int index = i;
			candidates.add(() -> this.randomRows.generate(shapes, index));
		}
		exampleRows.reversed().forEach((row) -> candidates.add(2, () -> row));
		List<Row> rows = new ArrayList<>();
		long keptBytes = 0;
		for (Supplier<Map<String, Tensor>> candidate : candidates) {
			if (rows.size() >= 2 && (keptBytes > MAX_KEPT_BYTES || hasElapsed(MAX_RUN_ALONE_NANOS))) {
				break;
			}
			try {
				Map<String, Tensor> inputs = candidate.get();
				Map<String, Tensor> outputs = this.modelFunction.apply(inputs);
				rows.add(new Row(inputs, outputs));
				keptBytes += Tensor.totalBytes(inputs.values()) + Tensor.totalBytes(outputs.values());
			}
			catch (DeviceLostException ex) {
				throw ex;
			}
			catch (RuntimeException ex) {
				this.lastRefusal = ex.getMessage();
			}
		}
		return rows;
	}

	private @Nullable String firstDifference(List<Row> rows) {
		int largestBatchSize = Math.min(this.maxRows, rows.size());
		int[] batchSizes = { largestBatchSize, 2, Math.min(3, largestBatchSize) };
		for (int i = 0; rows.size() > 1 && i < BATCHES_PER_ROW * rows.size(); i++) {
			String difference = differenceInBatch(rows.subList(0, batchSizes[i % batchSizes.length]));
			if (difference != null || hasElapsed(MAX_SEARCH_NANOS)) {
				return difference;
			}
			Collections.shuffle(rows, this.shuffle);
		}
		return null;
	}

	private @Nullable String differenceInBatch(List<Row> batch) {
		this.comparedBatchCount++;
		List<Map<String, Tensor>> batchedOutputs;
		try {
			Map<String, Tensor> inputs = Batch.join(batch.stream().map(Row::inputs).toList());
			batchedOutputs = Batch.split(this.modelFunction.apply(inputs), Collections.nCopies(batch.size(), 1L));
		}
		catch (DeviceLostException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			return "the model fails on a batch of %d rows: %s".formatted(batch.size(), ex.getMessage());
		}
		for (int i = 0; i < batch.size(); i++) {
			for (Map.Entry<String, Tensor> output : batch.get(i).outputs().entrySet()) {
				Tensor outputAlone = output.getValue();
				String difference = TensorComparison.difference(outputAlone, batchedOutputs.get(i).get(output.getKey()),
						TOLERANCES.getOrDefault(outputAlone.dataType(), DEFAULT_TOLERANCE),
						TensorComparison.largestAbsoluteValue(outputAlone));
				if (difference != null) {
					return "in a batch of %d rows, output '%s' of a row %s".formatted(batch.size(), output.getKey(),
							difference);
				}
			}
		}
		return null;
	}

	private boolean hasElapsed(long nanos) {
		return System.nanoTime() - this.startNanos > nanos;
	}

}
