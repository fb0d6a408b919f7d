package inference.model;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.IntStream;

import org.jspecify.annotations.Nullable;

/**
 * Compares a tensor with an expected tensor. The comparison is used to check golden
 * examples, and to check whether the rows of a batch influence each other.
 */
public final class TensorComparison {

	private TensorComparison() {
	}

	/**
	 * Compares two tensors, element by element. NaN equals NaN.
	 * @param tolerance the allowed difference of floating point numbers, as a fraction of
	 * the expected number's absolute value, or of the scale if that is larger
	 * @param scale the magnitude of the tensor's numbers, such as
	 * {@link #largestAbsoluteValue}
	 * @return the first difference as the end of a sentence, such as "is 1 instead of 2
	 * at element 0"; {@code null} if there is no difference
	 */
	public static @Nullable String difference(Tensor expected, @Nullable Tensor actual, double tolerance,
			double scale) {
		if (actual == null || actual.dataType() != expected.dataType() || !actual.shape().equals(expected.shape())) {
			return "is %s instead of %s".formatted(actual, expected);
		}
		ByteBuffer expectedContents = expected.contents();
		ByteBuffer actualContents = actual.contents();
		if (expectedContents.equals(actualContents)) {
			return null;
		}
		if (expected.dataType() == DataType.BYTES) {
			return difference(expected.strings(), actual.strings());
		}
		for (int i = 0; i < numberCount(expected); i++) {
			Number expectedNumber = number(expectedContents, expected.dataType(), i);
			Number actualNumber = number(actualContents, expected.dataType(), i);
			double allowedDifference = tolerance * Math.max(scale, Math.abs(expectedNumber.doubleValue()));
			boolean isFloatingPoint = expectedNumber instanceof Float || expectedNumber instanceof Double;
			if (!expectedNumber.equals(actualNumber) && !(isFloatingPoint && Double.isFinite(allowedDifference)
					&& Math.abs(expectedNumber.doubleValue() - actualNumber.doubleValue()) <= allowedDifference)) {
				return "is %s instead of %s at element %d".formatted(actualNumber, expectedNumber, i);
			}
		}
		return null;
	}

	private static String difference(List<String> expected, List<String> actual) {
		for (int i = 0; i < expected.size(); i++) {
			if (!expected.get(i).equals(actual.get(i))) {
				return "is '%s' instead of '%s' at element %d".formatted(actual.get(i), expected.get(i), i);
			}
		}
		return "differs from the expected bytes, and one of the two is not UTF-8";
	}

	/**
	 * The largest absolute value among the finite numbers of a tensor.
	 * @return the value; 0 if there is none, or if the elements are strings
	 */
	public static double largestAbsoluteValue(Tensor tensor) {
		ByteBuffer contents = tensor.contents();
		return IntStream.range(0, numberCount(tensor))
			.mapToDouble((index) -> Math.abs(number(contents, tensor.dataType(), index).doubleValue()))
			.filter(Double::isFinite)
			.max()
			.orElse(0);
	}

	private static int numberCount(Tensor tensor) {
		return (tensor.dataType() == DataType.BYTES) ? 0 : (int) tensor.shape().elementCount();
	}

	private static Number number(ByteBuffer contents, DataType dataType, int index) {
		return dataType.get(contents, index * dataType.width());
	}

}
