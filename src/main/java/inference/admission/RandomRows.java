package inference.admission;

import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Generates rows for {@link RowInfluenceSearch}, the same in each process. Consecutive
 * rows differ in scale, range and length, because similar rows hide an influence. For
 * example, some models compute one quantisation scale for the whole batch. Then rows of
 * the scale 100 make rows of the scale 0.1 imprecise.
 */
final class RandomRows {

	private static final int MAX_ELEMENTS = 8 << 20;

	private static final double[] FLOAT_SCALES = { 100, 1, 10, 0.1 };

	// Integers are below these bounds, because many models use integers as indexes.
	private static final int[] INTEGER_BOUNDS = { 10, 2, 4, 3 };

	// A text of 0 words is a number, because some models parse numbers.
	private static final int[] WORDS_PER_TEXT = { 9, 1, 0, 5 };

	private final List<TensorSpec> inputs;

	// Some influences show only in large numbers. With this seed, even a single column
	// gets numbers above 100 and below -100.
	private final Random random = new Random(56);

	RandomRows(List<TensorSpec> inputs) {
		this.inputs = inputs;
	}

	/**
	 * Generates one row.
	 * @param shapes the shape of each input, whose first dimension is 1
	 * @param index the row's index, which selects its scale
	 * @throws IllegalArgumentException if a shape has more than 8,388,608 elements
	 */
	Map<String, Tensor> generate(List<Shape> shapes, int index) {
		Map<String, Tensor> row = new LinkedHashMap<>();
		for (int i = 0; i < shapes.size(); i++) {
			TensorSpec input = this.inputs.get(i);
			row.put(input.name(), generateTensor(input.dataType(), shapes.get(i), index));
		}
		return row;
	}

	private Tensor generateTensor(DataType type, Shape shape, int index) {
		if (shape.elementCount() > MAX_ELEMENTS) {
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
			int zeroOrOne = index / 5 % 2;
			return zeroOrOne;
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

}
