package inference.admission;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import org.jspecify.annotations.Nullable;

import org.springframework.stereotype.Component;

/**
 * The counts and the durations of predictions. The same meters feed Prometheus and
 * Triton's statistics extension. The buckets of their histograms are in the property
 * {@code management.metrics.distribution.slo}.
 */
@Component
public final class Statistics {

	private final Map<Protocol, Map<Outcome, Timer>> requestTimers = new ConcurrentHashMap<>();

	private final Map<Stage, Timer> stageTimers = new EnumMap<>(Stage.class);

	private final DistributionSummary rowsPerRun;

	private final MeterRegistry registry;

	private volatile long lastRunEpochMillis;

	Statistics(MeterRegistry registry) {
		this.registry = registry;
		registerTimers(Protocol.HTTP);
		for (Stage stage : Stage.values()) {
			this.stageTimers.put(stage,
					Timer.builder("inference." + lowerCaseName(stage))
						.description(stage.description)
						.register(registry));
		}
		this.rowsPerRun = DistributionSummary.builder("inference.batch.rows")
			.description("Rows per call of the model")
			.register(registry);
	}

	/** The protocol through which a request comes. */
	public enum Protocol {

		HTTP, GRPC

	}

	/** How a prediction ended. */
	public enum Outcome {

		OK, INVALID, OVERLOADED, NOT_READY, LATE, GONE, FAILED;

		public static Outcome of(Rejection rejection) {
			return switch (rejection.kind()) {
				case INVALID_INPUT, TOO_LARGE -> INVALID;
				case OVERLOADED -> OVERLOADED;
				case NOT_READY -> NOT_READY;
				case DEADLINE_EXCEEDED -> LATE;
				case CLIENT_GONE -> GONE;
				case FAILED -> FAILED;
			};
		}

	}

	/** A stage of a prediction, whose time is recorded. */
	public enum Stage {

		READ("Reading the body into tensors"), QUEUE("Waiting for a model thread"), RUN("Inside the model"),
		WRITE("Writing and sending the answer");

		private final String description;

		Stage(String description) {
			this.description = description;
		}

	}

	/** Registers the timers of a protocol, so that metrics show counts from 0 on. */
	public void registerTimers(Protocol protocol) {
		Map<Outcome, Timer> timers = new EnumMap<>(Outcome.class);
		for (Outcome outcome : Outcome.values()) {
			timers.put(outcome,
					Timer.builder("inference.requests")
						.description("Predictions, from the arrival to the answer")
						.tag("outcome", lowerCaseName(outcome))
						.tag("protocol", lowerCaseName(protocol))
						.register(this.registry));
		}
		this.requestTimers.put(protocol, timers);
	}

	/** Registers a gauge. The unit is {@code null} if the value is a count. */
	void registerGauge(String name, @Nullable String unit, String description, Supplier<Number> value) {
		Gauge.builder(name, value).baseUnit(unit).description(description).register(this.registry);
	}

	/** Counts a prediction that took this long from its arrival to its answer. */
	public void record(Protocol protocol, Outcome outcome, long nanos) {
		Map<Outcome, Timer> timers = Objects.requireNonNull(this.requestTimers.get(protocol));
		Objects.requireNonNull(timers.get(outcome)).record(nanos, TimeUnit.NANOSECONDS);
	}

	public void record(Stage stage, long nanos) {
		stageTimer(stage).record(nanos, TimeUnit.NANOSECONDS);
	}

	void recordRun(long rowCount, long nanos) {
		record(Stage.RUN, nanos);
		this.rowsPerRun.record((double) rowCount);
		this.lastRunEpochMillis = System.currentTimeMillis();
	}

	/** The timers of an outcome, one for each registered protocol. */
	public Stream<Timer> requestTimers(Outcome outcome) {
		return this.requestTimers.values().stream().map((timers) -> Objects.requireNonNull(timers.get(outcome)));
	}

	public Timer stageTimer(Stage stage) {
		return Objects.requireNonNull(this.stageTimers.get(stage));
	}

	/** The number of rows in all successful calls of the model. */
	public long totalRows() {
		return (long) this.rowsPerRun.totalAmount();
	}

	/** When the model last answered, in milliseconds since the epoch; 0 if never. */
	public long lastRunEpochMillis() {
		return this.lastRunEpochMillis;
	}

	private static String lowerCaseName(Enum<?> value) {
		return value.name().toLowerCase(Locale.ROOT);
	}

}
