package bench;

import java.util.Collection;
import java.util.Locale;
import java.util.function.ToDoubleFunction;

/**
 * The median of what was measured round by round, and between what it lies.
 */
record Spread(double least, double median, double most) {

	static <T> Spread of(Collection<T> rounds, ToDoubleFunction<T> value) {
		double[] sorted = rounds.stream().mapToDouble(value).sorted().toArray();
		int middle = sorted.length / 2;
		double median = (sorted.length % 2 == 1) ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
		return new Spread(sorted[0], median, sorted[sorted.length - 1]);
	}

	@Override
	public String toString() {
		return (this.least == this.most) ? format(this.median)
				: "%s (%s–%s)".formatted(format(this.median), format(this.least), format(this.most));
	}

	static String format(double value) {
		String pattern = (value >= 100 || value == 0) ? "%,.0f" : (value >= 10) ? "%.1f" : "%.2f";
		return String.format(Locale.ROOT, pattern, value);
	}

}
