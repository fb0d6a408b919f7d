package bench;

import java.util.Arrays;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

import org.HdrHistogram.Histogram;

/**
 * What came of a load that waits for each answer before it asks again.
 *
 * @param perSecond answers per second
 * @param median of the time from question to answer, in milliseconds
 * @param p99 the same, of which one in a hundred takes longer
 * @param failed requests without an answer, or with another status than 200
 */
record Figures(double perSecond, double median, double p99, long failed) {

	private static final String MARK = "figures ";

	/** Reads the line that ends a run, wherever it is. */
	static Figures parse(String output) {
		long[] values = output.lines()
			.filter((line) -> line.startsWith(MARK))
			.findFirst()
			.map((line) -> Arrays.stream(line.substring(MARK.length()).split(" ")).mapToLong(Long::parseLong).toArray())
			.orElseThrow(() -> new IllegalStateException("No figures in: " + output));
		return new Figures((values[0] - values[4]) * 1e6 / values[1], values[2] / 1e3, values[3] / 1e3, values[4]);
	}

	/** Writes such a line. */
	static String format(Histogram nanos, long elapsed) {
		return String.format(Locale.ROOT, "%s%d %d %d %d 0", MARK, nanos.getTotalCount(),
				TimeUnit.NANOSECONDS.toMicros(elapsed), micros(nanos, 50), micros(nanos, 99));
	}

	private static long micros(Histogram nanos, double percentile) {
		return TimeUnit.NANOSECONDS.toMicros(nanos.getValueAtPercentile(percentile));
	}

}
