package inference.model;

import java.util.Arrays;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class ShapeTests {

	@Test
	void elementCountIsTheProductOfTheDimensions() {
		assertThat(Shape.of(2, 3, 4).elementCount()).isEqualTo(24);
		assertThat(Shape.of(0, 4).elementCount()).isZero();
		assertThat(Shape.of().elementCount()).isOne();
	}

	@Test
	void hasNoElementCountWithAVariableDimension() {
		assertThatIllegalArgumentException().isThrownBy(() -> Shape.of(-1, 4).elementCount())
			.withMessage("shape [-1,4] has a variable dimension");
	}

	@Test
	void refusesAnElementCountThatOverflows() {
		var shape = Shape.of(Long.MAX_VALUE, 2);
		assertThatIllegalArgumentException().isThrownBy(shape::elementCount)
			.withMessage("shape [9223372036854775807,2] has too many elements");
		assertThat(Shape.of(Long.MAX_VALUE, 1).elementCount()).isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void refusesDimensionsBelowMinusOne() {
		assertThatIllegalArgumentException().isThrownBy(() -> Shape.of(3, -2))
			.withMessage("a dimension of shape [3,-2] is below -1");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			-1,4   | 7,4   | true
			-1,4   | 0,4   | true
			-1,-1  | 7,9   | true
			7,4    | 7,4   | true
			7,4    | 8,4   | false
			-1,4   | 4     | false
			-1,4   | 7,4,1 | false
			''     | ''    | true
			''     | 1     | false
			""")
	void acceptsShapesThatDifferOnlyInVariableDimensions(String declared, String other, boolean accepted) {
		assertThat(parse(declared).accepts(parse(other))).isEqualTo(accepted);
	}

	@Test
	void isBatchedIfTheFirstDimensionIsVariable() {
		assertThat(Shape.of(-1).isBatched()).isTrue();
		assertThat(Shape.of(4, -1).isBatched()).isFalse();
		assertThat(Shape.of().isBatched()).isFalse();
	}

	@Test
	void rowHasTheDimensionsAfterTheFirst() {
		assertThat(Shape.of(-1, 2, 3).rowShape()).isEqualTo(Shape.of(2, 3));
		assertThat(Shape.of(-1).rowShape()).isEqualTo(Shape.of());
		assertThatIllegalArgumentException().isThrownBy(() -> Shape.of().rowShape());
	}

	@Test
	void isIndependentOfArraysThatCallersChange() {
		long[] dimensions = { 2, 3 };
		var shape = Shape.of(dimensions);
		dimensions[0] = 9;
		shape.dimensions()[1] = 9;
		assertThat(shape).isEqualTo(Shape.of(2, 3)).hasSameHashCodeAs(Shape.of(2, 3)).hasToString("[2,3]");
		assertThat(shape.dimension(1)).isEqualTo(3);
		assertThat(shape).isNotEqualTo(Shape.of(3, 2)).isNotEqualTo(Shape.of(2, 3, 1));
	}

	private static Shape parse(String dimensions) {
		return Shape.of(dimensions.isEmpty() ? new long[0]
				: Arrays.stream(dimensions.split(",", -1)).mapToLong(Long::parseLong).toArray());
	}

}
