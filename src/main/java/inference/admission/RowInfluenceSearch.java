package inference.admission;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

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

	// No further rows are run alone once the rows kept for comparison exceed this size.
	private static final long MAX_KEPT_BYTES = 8 << 20;

	private static final int MAX_GENERATED_ELEMENTS = 8 << 20;

	private static final int GENERATED_ROW_COUNT = 20;

	private static final int BATCHES_PER_ROW = 8;

	// Consecutive generated rows differ in scale, range and length, because similar rows
	// hide an influence. For example, some models compute one quantisation scale for the
	// whole batch. Then rows of the scale 100 make rows of the scale 0.1 imprecise.
	private static final double[] FLOAT_SCALES = { 100, 1, 10, 0.1 };

	// Integers are below these bounds, because many models use integers as indexes.
	private static final int[] INTEGER_BOUNDS = { 10, 2, 4, 3 };

	// A text of 0 words is a number, because some models parse numbers.
	private static final int[] WORDS_PER_TEXT = { 9, 1, 0, 5 };

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

	// Some influences show only in large numbers. With this seed, even a single column
	// gets numbers above 100 and below -100.
	private final Random random = new Random(56);

	private final long startNanos = System.nanoTime();

	private int comparedBatchCount;

	private @Nullable String lastRefusal;

	/** Creates a search. {@code maxRows} is the size of the largest batch, at least 2. */
	RowInfluenceSearch(ModelMetadata metadata, int maxRows, UnaryOperator<Map<String, Tensor>> modelFunction) {
		this.metadata = metadata;
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
			if (this.comparedBatchCount > 0 && (group.getValue().isEmpty() || hasElapsed(MAX_SEARCH_NANOS))) {
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
		List<Row> rows = new ArrayList<>();
		Iterator<Map<String, Tensor>> remainingExamples = exampleRows.iterator();
		long keptBytes = 0;
		int index = 0;
		while (index < GENERATED_ROW_COUNT
				&& (rows.size() < 2 || (keptBytes <= MAX_KEPT_BYTES && !hasElapsed(MAX_SEARCH_NANOS / 2)))) {
			try {
				Map<String, Tensor> inputs = (index >= 2 && remainingExamples.hasNext()) ? remainingExamples.next()
						: generateRow(shapes, index++);
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

	private Map<String, Tensor> generateRow(List<Shape> shapes, int index) {
		Map<String, Tensor> row = new LinkedHashMap<>();
		for (int i = 0; i < shapes.size(); i++) {
			TensorSpec input = this.metadata.signature().inputs().get(i);
			row.put(input.name(), generateTensor(input.dataType(), shapes.get(i), index));
		}
		return row;
	}

	private Tensor generateTensor(DataType type, Shape shape, int index) {
		if (shape.elementCount() > MAX_GENERATED_ELEMENTS) {
			throw new IllegalArgumentException("shape %s is too large to generate".formatted(shape));
		}
		Stream<Object> elements = Stream.generate(() -> generateElement(type, index)).limit(shape.elementCount());
		if (type == DataType.BYTES) {
			return Tensor.ofStrings(shape, elements.map(Object::toString).toList());
		}
		ByteBuffer contents = Tensor.allocate((int) shape.elementCount() * type.width());
		elements.forEachOrdered((element) -> type.put(contents, (Number) element));
		return Tensor.of(type, shape, contents.flip());
	}

	// Some inputs are masks, so a fifth of the rows have only zeros or only ones.
	private Object generateElement(DataType type, int index) {
		int variant = index % 5;
		if (variant == 4) {
			return index / 5 % 2;
		}
		return switch (type) {
			case FP16, BF16, FP32, FP64 -> this.random.nextGaussian() * FLOAT_SCALES[variant];
			case BYTES -> generateText(WORDS_PER_TEXT[variant]);
			default -> this.random.nextInt((type == DataType.BOOL) ? 2 : INTEGER_BOUNDS[variant]);
		};
	}

	private String generateText(int wordCount) {
		if (wordCount == 0) {
			return Integer.toString(this.random.nextInt(100));
		}
		return this.random.ints(wordCount, 'a', 'z' + 1)
			.mapToObj((letter) -> Character.toString(letter).repeat(1 + letter % 12))
			.collect(Collectors.joining(", "));
	}

	private @Nullable String firstDifference(List<Row> rows) {
		int largestBatchSize = Math.min(this.maxRows, rows.size());
		int[] batchSizes = { largestBatchSize, 2, Math.min(3, largestBatchSize) };
		for (int i = 0; rows.size() > 1 && i < BATCHES_PER_ROW * rows.size(); i++) {
			String difference = differenceInBatch(rows.subList(0, batchSizes[i % batchSizes.length]));
			if (difference != null || hasElapsed(MAX_SEARCH_NANOS)) {
				return difference;
			}
			Collections.shuffle(rows, this.random);
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
