package bench;

import java.io.IOException;
import java.util.Collection;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * The codecs and the admission alone, by JMH: time and memory of one operation.
 */
final class Micro {

	private final Options options;

	Micro(Options options) {
		this.options = options;
	}

	void run() throws IOException, InterruptedException {
		int iterations = 5;
		Collection<RunResult> results;
		try {
			results = new Runner(new OptionsBuilder().include("^inference\\.")
				.forks(this.options.rounds())
				.warmupIterations(iterations)
				.warmupTime(TimeValue.milliseconds(TimeUnit.SECONDS.toMillis(this.options.warmUp()) / iterations))
				.measurementIterations(iterations)
				.measurementTime(TimeValue.milliseconds(TimeUnit.SECONDS.toMillis(this.options.seconds()) / iterations))
				.jvmArgs(Commands.serverOptions().toArray(String[]::new))
				.addProfiler(GCProfiler.class)
				.shouldFailOnError(true)
				.build()).run();
		}
		catch (RunnerException ex) {
			throw new IOException(ex);
		}
		Table table = new Table("operation", "ns", "± (99.9 %)", "bytes");
		for (RunResult result : results) {
			Result<?> time = result.getPrimaryResult();
			Result<?> memory = Objects.requireNonNull(result.getSecondaryResults().get("gc.alloc.rate.norm"));
			table.row(time.getLabel(), Spread.format(time.getScore()), Spread.format(time.getScoreError()),
					Spread.format(memory.getScore()));
		}
		Report.write("micro.md", this.options, table.toString());
	}

}
