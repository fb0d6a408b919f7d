package inference.admission;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

class TensorDifferenceTests {

	@Test
	void floatsMayDifferByRoundingErrorsOfTheLargestOfTheRow() {
		assertThat(difference(new float[] { 1000, 0.01f, 0 }, new float[] { 1000.01f, 0.05f, -0f })).isNull();
		assertThat(difference(new float[] { 1000, 0.01f }, new float[] { 1000, 0.2f }))
			.isEqualTo("is 0.2 instead of 0.01 at element 1");
		assertThat(difference(new float[] { 1e-5f }, new float[] { 1.1e-5f })).isNotNull();
	}

	@Test
	void nanAndInfinitiesEqualOnlyThemselves() {
		float infinity = Float.POSITIVE_INFINITY;
		assertThat(difference(new float[] { Float.NaN, infinity, 1 }, new float[] { Float.NaN, infinity, 1.00001f }))
			.isNull();
		assertThat(difference(new float[] { infinity, 1 }, new float[] { -infinity, 1 })).isNotNull();
		assertThat(difference(new float[] { 1 }, new float[] { Float.NaN }))
			.isEqualTo("is NaN instead of 1.0 at element 0");
	}

	@Test
	void halfPrecisionMayDifferByItsOwnRoundingErrors() {
		assertThat(TensorDifference.find(half(1), half(1.002f))).isNull();
		assertThat(TensorDifference.find(half(1), half(1.02f))).isNotNull();
	}

	@Test
	void integersAndTextsMustBeEqual() {
		long large = Long.MAX_VALUE;
		assertThat(
				TensorDifference.find(Tensor.ofLongs(Shape.of(2), 1, large), Tensor.ofLongs(Shape.of(2), 1, large - 1)))
			.isEqualTo("is 9223372036854775806 instead of 9223372036854775807 at element 1");
		assertThat(TensorDifference.find(text("a", "b"), text("a", "bc")))
			.isEqualTo("is 'bc' instead of 'b' at element 1");
	}

	private static @Nullable String difference(float[] alone, float[] together) {
		return TensorDifference.find(Tensor.ofFloats(Shape.of(alone.length), alone),
				Tensor.ofFloats(Shape.of(together.length), together));
	}

	private static Tensor half(float value) {
		return Tensor.of(DataType.FP16, Shape.of(1),
				ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(Float.floatToFloat16(value)).flip());
	}

	private static Tensor text(String... values) {
		return Tensor.ofStrings(Shape.of(values.length), List.of(values));
	}

}
