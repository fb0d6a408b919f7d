package inference.admission;

import java.nio.ByteBuffer;
import java.util.List;

import org.jspecify.annotations.Nullable;

import inference.model.DataType;
import inference.model.Tensor;

/**
 * A comparison of two outputs of the same row. Floating point numbers may differ by
 * rounding errors, because in a batch the terms of a matrix product may be added in
 * another order. All other elements must be equal. NaN equals NaN.
 */
final class TensorDifference {

	private TensorDifference() {
	}

	/**
	 * Compares two outputs.
	 * @param alone the output of the row when it ran alone
	 * @param together the output of the row in a batch
	 * @return the first difference, or {@code null} if there is none
	 */
	static @Nullable String find(Tensor alone, Tensor together) {
		DataType type = alone.dataType();
		if (type != together.dataType() || !alone.shape().equals(together.shape())) {
			return "is %s instead of %s".formatted(together, alone);
		}
		int mismatch = alone.contents().mismatch(together.contents());
		if (mismatch < 0) {
			return null;
		}
		return (type == DataType.BYTES) ? find(alone.strings(), together.strings())
				: find(type, mismatch / type.width(), alone.contents(), together.contents());
	}

	private static @Nullable String find(List<String> alone, List<String> together) {
		for (int i = 0; i < alone.size(); i++) {
			if (!alone.get(i).equals(together.get(i))) {
				return "is '%s' instead of '%s' at element %d".formatted(together.get(i), alone.get(i), i);
			}
		}
		return null;
	}

	private static @Nullable String find(DataType type, int first, ByteBuffer alone, ByteBuffer together) {
		int count = alone.remaining() / type.width();
		double allowed = tolerance(type) * scale(type, count, alone);
		for (int i = first; i < count; i++) {
			Number expected = number(type, alone, i);
			Number actual = number(type, together, i);
			if (!expected.equals(actual) && !(Math.abs(expected.doubleValue() - actual.doubleValue()) < allowed)) {
				return "is %s instead of %s at element %d".formatted(actual, expected, i);
			}
		}
		return null;
	}

	// Relative to the largest number of the row: about 16 units in the last place for the
	// 16-bit types, and a thousand for FP32, whose errors add up.
	private static double tolerance(DataType type) {
		return switch (type) {
			case FP32, FP64 -> 1e-4;
			case FP16 -> 1.0 / 128;
			case BF16 -> 1.0 / 16;
			default -> 0;
		};
	}

	private static double scale(DataType type, int count, ByteBuffer contents) {
		double scale = Float.MIN_NORMAL;
		for (int i = 0; i < count; i++) {
			double size = Math.abs(number(type, contents, i).doubleValue());
			if (size > scale && size < Double.POSITIVE_INFINITY) {
				scale = size;
			}
		}
		return scale;
	}

	private static Number number(DataType type, ByteBuffer contents, int index) {
		int position = index * type.width();
		return switch (type) {
			case FP64 -> contents.getDouble(position);
			case FP32 -> contents.getFloat(position);
			case FP16 -> Float.float16ToFloat(contents.getShort(position));
			case BF16 -> Float.intBitsToFloat(contents.getShort(position) << Short.SIZE);
			case INT64, UINT64 -> contents.getLong(position);
			case INT32, UINT32 -> contents.getInt(position);
			case INT16, UINT16 -> contents.getShort(position);
			default -> contents.get(position);
		};
	}

}
