package inference.admission;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Generated rows that show whether the rows of a batch influence each other. Consecutive
 * rows differ in scale, range and length, because similar rows hide an influence. The
 * seed is fixed, so each process generates the same rows.
 *
 * @param inputs the inputs of one row; no dimension is variable, and the first is 1
 */
record SampleRows(List<TensorSpec> inputs) {

	// If a model quantises a batch with one common step, the rows of the scale 100 make
	// the rows of the scale 0.1 imprecise, which shows the influence.
	private static final double[] FLOAT_SCALES = { 1, 100, 0.1, 10 };

	// Integers are below these bounds, because many models use integers as indexes.
	private static final int[] INTEGER_BOUNDS = { 2, 10, 4, 3 };

	private static final int[] WORDS_PER_TEXT = { 1, 9, 2, 5 };

	private static final int RANDOM_ROW_COUNT = 8;

	private static final int MAX_WORD_LENGTH = 12;

	private static final int MAX_INPUT_ELEMENTS = 8 << 20;

	/**
	 * A row of random elements.
	 * @param index the row's number, 0 or more
	 * @throws IllegalArgumentException if the row is too large
	 */
	Map<String, Tensor> randomRow(int index) {
		Random random = new Random(index);
		int variant = index % FLOAT_SCALES.length;
		return rowOf((type) -> switch (type) {
			case FP16, BF16, FP32, FP64 -> random.nextGaussian() * FLOAT_SCALES[variant];
			case BOOL -> random.nextInt(2);
			case BYTES -> randomText(random, variant);
			default -> random.nextInt(INTEGER_BOUNDS[variant]);
		});
	}

	/**
	 * The generated rows and other rows, mixed. A supplier creates its row when called.
	 * @param otherRows rows of the same shapes; they come after the first two random
	 * rows, because these two differ the most
	 */
	List<Supplier<Map<String, Tensor>>> mixedWith(List<Map<String, Tensor>> otherRows) {
		List<Supplier<Map<String, Tensor>>> rows = new ArrayList<>(List.of(() -> randomRow(0), () -> randomRow(1)));
		otherRows.forEach((row) -> rows.add(() -> row));
		IntStream.range(2, RANDOM_ROW_COUNT).forEach((index) -> rows.add(() -> randomRow(index)));
		rows.add(() -> rowOf((_) -> 0));
		rows.add(() -> rowOf((_) -> 1));
		return rows;
	}

	// elementSource returns a Number, or for BYTES an object whose toString() is the
	// text.
	private Map<String, Tensor> rowOf(Function<DataType, Object> elementSource) {
		Map<String, Tensor> row = new LinkedHashMap<>();
		this.inputs.forEach((input) -> row.put(input.name(), tensorOf(input.dataType(), input.shape(), elementSource)));
		return row;
	}

	private static Tensor tensorOf(DataType type, Shape shape, Function<DataType, Object> elementSource) {
		if (shape.elementCount() > MAX_INPUT_ELEMENTS) {
			throw new IllegalArgumentException("shape %s is too large to generate".formatted(shape));
		}
		int elementCount = (int) shape.elementCount();
		if (type == DataType.BYTES) {
			return Tensor.ofStrings(shape,
					Stream.generate(() -> elementSource.apply(type).toString()).limit(elementCount).toList());
		}
		ByteBuffer contents = Tensor.allocate(elementCount * type.width());
		while (contents.hasRemaining()) {
			type.put(contents, (Number) elementSource.apply(type));
		}
		return Tensor.of(type, shape, contents.flip());
	}

	// In every fourth row the texts are numbers, for models that parse numbers.
	private static String randomText(Random random, int variant) {
		if (variant == 2) {
			return Integer.toString(random.nextInt(100));
		}
		return IntStream.range(0, WORDS_PER_TEXT[variant])
			.mapToObj((_) -> randomWord(random))
			.collect(Collectors.joining(" "));
	}

	private static String randomWord(Random random) {
		return random.ints(1 + random.nextInt(MAX_WORD_LENGTH), 'a', 'z' + 1)
			.mapToObj(Character::toString)
			.collect(Collectors.joining());
	}

}
