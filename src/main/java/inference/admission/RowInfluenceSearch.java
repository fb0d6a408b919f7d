package inference.admission;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

import inference.model.DataType;
import inference.model.DeviceLostException;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorComparison;
import inference.model.TensorSpec;

/**
 * A search for rows whose outputs change when other rows are in the same batch. It runs
 * rows alone and then in batches of several sizes and orders, and compares the outputs.
 * It can find an influence between rows, but cannot prove that there is none.
 */
final class RowInfluenceSearch {

	private static final Duration MAX_TIME = Duration.ofSeconds(1);

	// No further rows are run alone once the rows kept for comparison exceed this size.
	private static final long MAX_KEPT_BYTES = 8 << 20;

	private static final int ROW_ORDER_COUNT = 8;

	// Variable dimensions other than the first get these sizes. 64 and 224 suit images.
	private static final int[] VARIABLE_DIMENSION_SIZES = { 6, 1, 64, 224 };

	private final Signature signature;

	private final List<Map<String, Tensor>> examples;

	private final int maxRows;

	private final UnaryOperator<Map<String, Tensor>> modelFunction;

	private final long startNanos = System.nanoTime();

	private int comparedBatchCount;

	private @Nullable String lastRefusal;

	/**
	 * Creates a search, which {@link #decide} runs.
	 * @param signature the model's signature; the first dimension of each tensor is
	 * variable
	 * @param examples the inputs of the golden examples; may be empty
	 * @param maxRows the most rows in a batch, 2 or more
	 * @param modelFunction runs the model
	 */
	RowInfluenceSearch(Signature signature, List<Map<String, Tensor>> examples, int maxRows,
			UnaryOperator<Map<String, Tensor>> modelFunction) {
		this.signature = signature;
		this.examples = examples;
		this.maxRows = maxRows;
		this.modelFunction = modelFunction;
	}

	private record Row(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {
	}

	/**
	 * Searches for about one second. Even if it takes longer, at least two rows are run
	 * alone and then together in a batch, unless the model refuses them.
	 * @throws DeviceLostException if the model cannot run any more
	 */
	Batching.Decision decide() {
		for (Map.Entry<SampleRows, List<Map<String, Tensor>>> group : rowsByShape().entrySet()) {
			List<Map<String, Tensor>> exampleRows = group.getValue();
			List<Row> rows = runAlone(group.getKey().mixedWith(exampleRows));
			String difference = (rows.size() > 1) ? firstDifferenceInBatches(rows) : null;
			if (difference != null) {
				return new Batching.Decision(1, difference);
			}
			if (this.comparedBatchCount > 0 && (exampleRows.isEmpty() || hasElapsed(MAX_TIME))) {
				break;
			}
		}
		if (this.comparedBatchCount == 0) {
			return new Batching.Decision(this.maxRows,
					"not checked for influence between rows, because the model refused the generated input: "
							+ this.lastRefusal);
		}
		String conclusion = "no influence between rows found, batches compared: " + this.comparedBatchCount;
		return new Batching.Decision(this.maxRows, (this.lastRefusal != null)
				? conclusion + "; the model refused some generated input: " + this.lastRefusal : conclusion);
	}

	// Groups the rows by shape, because only rows of the same shape are batched. The
	// shapes of the examples come first, and the generated shapes follow. decide() stops
	// after the first generated shape or when its time is over, but not before it has
	// compared a batch.
	private Map<SampleRows, List<Map<String, Tensor>>> rowsByShape() {
		Map<SampleRows, List<Map<String, Tensor>>> groups = this.examples.stream()
			.filter((example) -> Batch.fits(example, example))
			.flatMap((example) -> splitRows(example, Math.toIntExact(Batch.rowCount(example))).stream())
			.collect(Collectors.groupingBy(
					(row) -> sampleRows((input) -> Objects.requireNonNull(row.get(input.name())).shape()),
					LinkedHashMap::new, Collectors.toList()));
		for (int size : VARIABLE_DIMENSION_SIZES) {
			groups.putIfAbsent(sampleRows((input) -> input.shape().withSizes(1, size)), List.of());
		}
		return groups;
	}

	private SampleRows sampleRows(Function<TensorSpec, Shape> shapeOf) {
		return new SampleRows(this.signature.inputs()
			.stream()
			.map((input) -> new TensorSpec(input.name(), input.dataType(), shapeOf.apply(input)))
			.toList());
	}

	private static List<Map<String, Tensor>> splitRows(Map<String, Tensor> tensors, int rowCount) {
		return Batch.split(tensors, Collections.nCopies(rowCount, 1L));
	}

	private List<Row> runAlone(List<Supplier<Map<String, Tensor>>> rowSuppliers) {
		List<Row> rows = new ArrayList<>();
		long keptBytes = 0;
		for (Supplier<Map<String, Tensor>> rowSupplier : rowSuppliers) {
			if (rows.size() > 1 && (keptBytes > MAX_KEPT_BYTES || hasElapsed(MAX_TIME.dividedBy(2)))) {
				break;
			}
			try {
				Map<String, Tensor> inputs = rowSupplier.get();
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

	private @Nullable String firstDifferenceInBatches(List<Row> rows) {
		int largestBatchSize = Math.min(this.maxRows, rows.size());
		int[] batchSizes = IntStream.of(largestBatchSize, 2, 3)
			.filter((size) -> size <= largestBatchSize)
			.distinct()
			.toArray();
		Random random = new Random(0);
		List<Row> orderedRows = rows;
		for (int i = 0; i < ROW_ORDER_COUNT; i++) {
			for (int batchSize : batchSizes) {
				for (int end = batchSize; end <= rows.size(); end += batchSize) {
					if (this.comparedBatchCount > 0 && hasElapsed(MAX_TIME)) {
						return null;
					}
					String difference = differenceInBatch(orderedRows.subList(end - batchSize, end));
					if (difference != null) {
						return difference;
					}
				}
			}
			orderedRows = new ArrayList<>(rows.reversed());
			if (i > 0) {
				Collections.shuffle(orderedRows, random);
			}
		}
		return null;
	}

	private @Nullable String differenceInBatch(List<Row> batch) {
		this.comparedBatchCount++;
		List<Map<String, Tensor>> batchedOutputs;
		try {
			batchedOutputs = splitRows(this.modelFunction.apply(Batch.join(batch.stream().map(Row::inputs).toList())),
					batch.size());
		}
		catch (DeviceLostException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			return "the model fails on a batch of %d rows: %s".formatted(batch.size(), ex.getMessage());
		}
		for (int i = 0; i < batch.size(); i++) {
			for (Map.Entry<String, Tensor> outputAlone : batch.get(i).outputs().entrySet()) {
				Tensor expected = outputAlone.getValue();
				String difference = TensorComparison.difference(expected,
						batchedOutputs.get(i).get(outputAlone.getKey()), toleranceOf(expected.dataType()),
						TensorComparison.largestAbsoluteValue(expected));
				if (difference != null) {
					return "in a batch of %d rows, output '%s' of a row %s".formatted(batch.size(),
							outputAlone.getKey(), difference);
				}
			}
		}
		return null;
	}

	// In a batch a matrix product may add its terms in another order, which changes the
	// rounding. The tolerance is relative to the largest value. For FP16 and BF16 it is 8
	// to 16 units in the last place of that value.
	private static double toleranceOf(DataType type) {
		return switch (type) {
			case FP16 -> 1.0 / 128;
			case BF16 -> 1.0 / 16;
			default -> 1e-4;
		};
	}

	private boolean hasElapsed(Duration time) {
		return System.nanoTime() - this.startNanos > time.toNanos();
	}

}
