package inference.admission;

import java.time.Duration;
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
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import inference.model.DeviceLostException;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * A search for rows whose outputs change when other rows are in the same batch. It runs
 * rows alone and then in batches of several sizes and orders, and compares the outputs.
 * It can find an influence between rows, but cannot prove that there is none.
 */
final class RowIndependence {

	private static final Duration BUDGET = Duration.ofSeconds(1);

	// Rows are kept for comparison until they fill this memory.
	private static final long MAX_BYTES = 8 << 20;

	private static final int RANDOM_ROWS = 8;

	private static final int ORDERS = 8;

	// Sizes for variable dimensions other than the first. The larger ones suit images.
	private static final int[] VARIABLE_SIZES = { 6, 1, 64, 224 };

	private final Signature signature;

	private final List<Map<String, Tensor>> examples;

	private final int maxSize;

	private final UnaryOperator<Map<String, Tensor>> model;

	private final long started = System.nanoTime();

	private int batches;

	private @Nullable String refusal;

	/**
	 * Prepares a search.
	 * @param signature the model's signature; the first dimension of each tensor is
	 * variable
	 * @param examples inputs that the model can use, perhaps none
	 * @param maxSize the most rows in a batch, 2 or more
	 * @param model runs the model
	 */
	RowIndependence(Signature signature, List<Map<String, Tensor>> examples, int maxSize,
			UnaryOperator<Map<String, Tensor>> model) {
		this.signature = signature;
		this.examples = examples;
		this.maxSize = maxSize;
		this.model = model;
	}

	/**
	 * The outcome of a search.
	 *
	 * @param influence whether rows influence each other
	 * @param reason what was found
	 */
	record Result(boolean influence, String reason) {
	}

	private record Row(Map<String, Tensor> inputs, Map<String, Tensor> outputs) {

		long bytes() {
			return Stream.of(this.inputs, this.outputs)
				.flatMap((tensors) -> tensors.values().stream())
				.mapToLong((tensor) -> tensor.contents().remaining())
				.sum();
		}

	}

	/**
	 * Runs the model for one second at most, but at least on two rows and a batch of
	 * them.
	 * @throws DeviceLostException if the model cannot run any more
	 */
	Result search() {
		for (Map.Entry<Map<String, Shape>, List<Map<String, Tensor>>> group : examplesByShape().entrySet()) {
			List<Map<String, Tensor>> examples = group.getValue();
			List<Row> rows = runAlone(new SampleRows(this.signature, group.getKey()), examples);
			String difference = (rows.size() > 1) ? difference(rows) : null;
			if (difference != null) {
				return new Result(true, difference);
			}
			if (this.batches > 0 && (examples.isEmpty() || isOver(BUDGET))) {
				break;
			}
		}
		return new Result(false, nothingFound());
	}

	private String nothingFound() {
		if (this.batches == 0) {
			return "not checked for influence between rows, because the model refused the generated input: %s"
				.formatted(this.refusal);
		}
		String found = "no influence between rows found, batches compared: %d".formatted(this.batches);
		return (this.refusal != null) ? "%s; the model refused some generated input: %s".formatted(found, this.refusal)
				: found;
	}

	// Only rows of the same shape are batched. The generated sizes come last. The search
	// ends with the first of them that the model accepts.
	private Map<Map<String, Shape>, List<Map<String, Tensor>>> examplesByShape() {
		Map<Map<String, Shape>, List<Map<String, Tensor>>> groups = this.examples.stream()
			.filter((example) -> Batch.fits(example, example))
			.flatMap((example) -> Batch.split(example, ones(Math.toIntExact(Batch.rows(example)))).stream())
			.collect(Collectors.groupingBy(RowIndependence::shapes, LinkedHashMap::new, Collectors.toList()));
		for (int size : VARIABLE_SIZES) {
			groups.putIfAbsent(SampleRows.shapes(this.signature, size), List.of());
		}
		return groups;
	}

	private static Map<String, Shape> shapes(Map<String, Tensor> row) {
		return row.entrySet()
			.stream()
			.collect(Collectors.toMap(Map.Entry::getKey, (input) -> input.getValue().shape()));
	}

	private List<Row> runAlone(SampleRows samples, List<Map<String, Tensor>> examples) {
		List<Row> rows = new ArrayList<>();
		for (int i = 0; i < RANDOM_ROWS; i++) {
			int index = i;
			runAlone(() -> samples.random(index), rows);
			// A slow model runs on two rows only. Two random rows differ the most.
			if (i > 0 && i <= examples.size()) {
				runAlone(() -> examples.get(index - 1), rows);
			}
		}
		runAlone(() -> samples.constant(0), rows);
		runAlone(() -> samples.constant(1), rows);
		return rows;
	}

	private void runAlone(Supplier<Map<String, Tensor>> source, List<Row> rows) {
		if (rows.size() > 1 && (isOver(BUDGET.dividedBy(2)) || rows.stream().mapToLong(Row::bytes).sum() > MAX_BYTES)) {
			return;
		}
		try {
			Map<String, Tensor> inputs = source.get();
			rows.add(new Row(inputs, this.model.apply(inputs)));
		}
		catch (DeviceLostException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			this.refusal = ex.getMessage();
		}
	}

	private @Nullable String difference(List<Row> rows) {
		int largest = Math.min(this.maxSize, rows.size());
		int[] sizes = IntStream.of(largest, 2, 3).filter((size) -> size <= largest).distinct().toArray();
		Random random = new Random(0);
		List<Row> order = rows;
		for (int i = 0; i < ORDERS; i++) {
			for (int size : sizes) {
				for (int end = size; end <= rows.size(); end += size) {
					if (this.batches > 0 && isOver(BUDGET)) {
						return null;
					}
					String difference = compare(order.subList(end - size, end));
					if (difference != null) {
						return difference;
					}
				}
			}
			order = (i == 0) ? rows.reversed() : shuffled(rows, random);
		}
		return null;
	}

	private static List<Row> shuffled(List<Row> rows, Random random) {
		List<Row> shuffled = new ArrayList<>(rows);
		Collections.shuffle(shuffled, random);
		return shuffled;
	}

	private @Nullable String compare(List<Row> batch) {
		this.batches++;
		List<Map<String, Tensor>> together;
		try {
			together = Batch.split(this.model.apply(Batch.join(batch.stream().map(Row::inputs).toList())),
					ones(batch.size()));
		}
		catch (DeviceLostException ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			return "the model fails on a batch of %d rows: %s".formatted(batch.size(), ex.getMessage());
		}
		for (int i = 0; i < batch.size(); i++) {
			for (Map.Entry<String, Tensor> alone : batch.get(i).outputs().entrySet()) {
				String difference = TensorDifference.find(alone.getValue(),
						Objects.requireNonNull(together.get(i).get(alone.getKey())));
				if (difference != null) {
					return "in a batch of %d rows, output '%s' of a row %s".formatted(batch.size(), alone.getKey(),
							difference);
				}
			}
		}
		return null;
	}

	private boolean isOver(Duration budget) {
		return System.nanoTime() - this.started > budget.toNanos();
	}

	private static List<Long> ones(int count) {
		return Collections.nCopies(count, 1L);
	}

}
