package inference.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class TensorTests {

	@Test
	void refusesABooleanThatIsNeitherZeroNorOne() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> Tensor.of(DataType.BOOL, Shape.of(3), ByteBuffer.wrap(new byte[] { 0, 1, 2 })))
			.withMessage("BOOL [3]: element 2 is 2, neither 0 nor 1");
	}

	@Test
	void storesFloatsInLittleEndianOrder() {
		var tensor = Tensor.ofFloats(Shape.of(1, 2), 1, -2);
		assertThat(tensor).hasToString("FP32 [1,2]");
		assertThat(bytes(tensor)).containsExactly(0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0);
		assertThat(tensor.floats()).containsExactly(1, -2);
	}

	@Test
	void storesLongsInLittleEndianOrder() {
		var tensor = Tensor.ofLongs(Shape.of(2), 0x0102, -1);
		assertThat(tensor).hasToString("INT64 [2]");
		assertThat(bytes(tensor)).containsExactly(2, 1, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255);
		assertThat(tensor.longs()).containsExactly(0x0102, -1);
	}

	@Test
	void storesEachStringAfterItsLength() {
		var tensor = Tensor.ofStrings(Shape.of(3), List.of("é", "", "ab"));
		assertThat(tensor).hasToString("BYTES [3]");
		assertThat(bytes(tensor)).containsExactly(2, 0, 0, 0, 0xC3, 0xA9, 0, 0, 0, 0, 2, 0, 0, 0, 'a', 'b');
		assertThat(tensor.strings()).containsExactly("é", "", "ab");
	}

	@ParameterizedTest
	@EnumSource(mode = Mode.EXCLUDE, names = "BYTES")
	void acceptsOnlyTheExactNumberOfBytes(DataType dataType) {
		int size = 6 * dataType.width();
		assertThat(Tensor.of(dataType, Shape.of(2, 3), ByteBuffer.allocate(size)).contents().remaining())
			.isEqualTo(size);
		for (int wrong : new int[] { 0, size - 1, size + 1 }) {
			assertThatIllegalArgumentException()
				.isThrownBy(() -> Tensor.of(dataType, Shape.of(2, 3), ByteBuffer.allocate(wrong)))
				.withMessage("%s [2,3] needs 6 elements of %d bytes, not %d bytes", dataType, dataType.width(), wrong);
		}
	}

	@Test
	void factoriesRefuseMoreOrFewerValuesThanTheShapeHas() {
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.ofFloats(Shape.of(2), 1));
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.ofLongs(Shape.of(2), 1, 2, 3));
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.ofStrings(Shape.of(2), List.of("only")))
			.withMessage("BYTES [2] needs 2 elements, not 1");
	}

	@Test
	void refusesAShapeWhoseSizeInBytesOverflows() {
		var none = ByteBuffer.allocate(0);
		// 2^62 elements of 8 bytes are 2^65 bytes, and 2^65 overflows a long to 0.
		assertThatIllegalArgumentException()
			.isThrownBy(() -> Tensor.of(DataType.INT64, Shape.of(1L << 31, 1L << 31), none));
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DataType.BOOL, Shape.of(1L << 32), none));
		assertThatIllegalArgumentException()
			.isThrownBy(() -> Tensor.of(DataType.INT64, Shape.of(1L << 32, 1L << 32), none));
	}

	@Test
	void refusesStringsThatDoNotEndInsideTheirBytes() {
		var lengthCutOff = ByteBuffer.wrap(new byte[] { 1, 0, 0, 0, 'a', 1, 0 });
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DataType.BYTES, Shape.of(2), lengthCutOff))
			.withMessage("BYTES [2]: element 1 is longer than the rest of the tensor's 7 bytes");
		var textCutOff = ByteBuffer.wrap(new byte[] { 2, 0, 0, 0, 'a' });
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DataType.BYTES, Shape.of(1), textCutOff))
			.withMessage("BYTES [1]: element 0 is longer than the rest of the tensor's 5 bytes");
		var fourGigabytes = ByteBuffer.wrap(new byte[] { -1, -1, -1, -1, 'a' });
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DataType.BYTES, Shape.of(1), fourGigabytes))
			.withMessage("BYTES [1]: element 0 is longer than the rest of the tensor's 5 bytes");
	}

	@Test
	void refusesMoreOrFewerStringsThanTheShapeHas() {
		var one = ByteBuffer.wrap(new byte[] { 1, 0, 0, 0, 'a' });
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DataType.BYTES, Shape.of(0), one))
			.withMessage("BYTES [0] needs 0 elements, not 1");
		assertThatIllegalArgumentException().isThrownBy(() -> Tensor.of(DataType.BYTES, Shape.of(1L << 40), one));
	}

	@Test
	void readsFromPositionToLimitInAnyByteOrder() {
		var buffer = ByteBuffer.wrap(new byte[] { 9, 9, 1, 0, 0, 0, 0, 0, 0, 0, 9 }).order(ByteOrder.BIG_ENDIAN);
		var tensor = Tensor.of(DataType.INT64, Shape.of(1), buffer.position(2).limit(10));
		assertThat(tensor.longs()).containsExactly(1);
		assertThat(buffer.position()).isEqualTo(2);
	}

	@Test
	void sharesTheBufferItWasCreatedFrom() {
		var direct = ByteBuffer.allocateDirect(4);
		var contents = Tensor.of(DataType.FP32, Shape.of(1), direct).contents();
		direct.put(0, (byte) 7);
		assertThat(contents.isDirect()).isTrue();
		assertThat(contents.get(0)).isEqualTo((byte) 7);
	}

	@Test
	void givesEachReaderItsOwnPosition() {
		var tensor = Tensor.ofFloats(Shape.of(1), 1);
		assertThat(tensor.contents().getFloat()).isEqualTo(1);
		assertThat(tensor.contents().getFloat()).isEqualTo(1);
		assertThat(tensor.contents().order()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
	}

	@Test
	void refusesToBeReadAsAnotherDataType() {
		var floats = Tensor.ofFloats(Shape.of(1), 1);
		assertThatIllegalStateException().isThrownBy(floats::longs).withMessage("this tensor is FP32, not INT64");
		assertThatIllegalStateException().isThrownBy(floats::strings).withMessage("this tensor is FP32, not BYTES");
		assertThatIllegalStateException().isThrownBy(Tensor.ofLongs(Shape.of(1), 1)::floats)
			.withMessage("this tensor is INT64, not FP32");
	}

	@Test
	void floatsMayDifferByTheToleranceRelativeToTheScale() {
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
	void halfPrecisionNumbersAreCompared() {
		assertThat(TensorComparison.difference(half(1), half(1.002f), 1.0 / 128, 1)).isNull();
		assertThat(TensorComparison.difference(half(1), half(1.02f), 1.0 / 128, 1)).isNotNull();
	}

	@Test
	void integersAndTextsMustBeEqual() {
		long large = Long.MAX_VALUE;
		assertThat(TensorComparison.difference(Tensor.ofLongs(Shape.of(2), 1, large),
				Tensor.ofLongs(Shape.of(2), 1, large - 1), 1e-4, (double) large))
			.isEqualTo("is 9223372036854775806 instead of 9223372036854775807 at element 1");
		assertThat(TensorComparison.difference(text("a", "b"), text("a", "bc"), 1e-4, 1))
			.isEqualTo("is 'bc' instead of 'b' at element 1");
	}

	@Test
	void showsUnsignedIntegersWithoutASign() {
		assertThat(TensorComparison.difference(bytes(DataType.UINT8, 1), bytes(DataType.UINT8, 255), 0, 1))
			.isEqualTo("is 255 instead of 1 at element 0");
	}

	@Test
	void findsADifferenceBetweenBytesThatAreNotUtf8() {
		assertThat(TensorComparison.difference(bytes(DataType.BYTES, 1, 0, 0, 0, 0xFE),
				bytes(DataType.BYTES, 1, 0, 0, 0, 0xFF), 0, 1))
			.isEqualTo("differs from the expected bytes, and one of the two is not UTF-8");
	}

	private static Tensor bytes(DataType dataType, int... values) {
		var contents = ByteBuffer.allocate(values.length);
		for (int value : values) {
			contents.put((byte) value);
		}
		return Tensor.of(dataType, Shape.of(1), contents.flip());
	}

	private static @Nullable String difference(float[] expected, float[] actual) {
		var tensor = Tensor.ofFloats(Shape.of(expected.length), expected);
		return TensorComparison.difference(tensor, Tensor.ofFloats(Shape.of(actual.length), actual), 1e-4,
				TensorComparison.largestAbsoluteValue(tensor));
	}

	private static Tensor half(float value) {
		return Tensor.of(DataType.FP16, Shape.of(1),
				ByteBuffer.allocate(2).order(ByteOrder.LITTLE_ENDIAN).putShort(Float.floatToFloat16(value)).flip());
	}

	private static Tensor text(String... values) {
		return Tensor.ofStrings(Shape.of(values.length), List.of(values));
	}

	private static int[] bytes(Tensor tensor) {
		var contents = tensor.contents();
		int[] bytes = new int[contents.remaining()];
		for (int i = 0; i < bytes.length; i++) {
			bytes[i] = Byte.toUnsignedInt(contents.get());
		}
		return bytes;
	}

}
