package inference.web;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.Timer;
import tools.jackson.databind.JsonNode;

import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Stage;

import static inference.web.ModelConfig.object;

/**
 * The durations of predictions, in the form of Triton's statistics extension.
 */
final class ModelStatistics {

	private ModelStatistics() {
	}

	static JsonNode durations(Statistics statistics) {
		Timer[] succeeded = timers(statistics, EnumSet.of(Outcome.OK));
		Timer[] failed = timers(statistics, EnumSet.complementOf(EnumSet.of(Outcome.OK)));
		// perf_analyzer stops if the counts of the stages differ, which happens while
		// requests run. So every stage gets the number of successful requests.
		long count = count(succeeded);
		return object().set("success", duration(count, succeeded))
			.set("fail", duration(count(failed), failed))
			.set("queue", duration(count, statistics.stageTimer(Stage.QUEUE)))
			.set("compute_input", duration(count, statistics.stageTimer(Stage.READ)))
			.set("compute_infer", duration(count, statistics.stageTimer(Stage.RUN)))
			.set("compute_output", duration(count, statistics.stageTimer(Stage.WRITE)))
			.set("cache_hit", duration(0))
			.set("cache_miss", duration(0));
	}

	private static Timer[] timers(Statistics statistics, Set<Outcome> outcomes) {
		return outcomes.stream().flatMap(statistics::requestTimers).toArray(Timer[]::new);
	}

	private static long count(Timer... timers) {
		return Arrays.stream(timers).mapToLong(Timer::count).sum();
	}

	private static JsonNode duration(long count, Timer... timers) {
		double nanos = Arrays.stream(timers).mapToDouble((timer) -> timer.totalTime(TimeUnit.NANOSECONDS)).sum();
		return object().put("count", count).put("ns", (long) nanos);
	}

}
