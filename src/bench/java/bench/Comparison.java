package bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

import org.jspecify.annotations.Nullable;

/**
 * All contenders side by side: in each round every one is started anew, in every other
 * round the other way round.
 */
final class Comparison {

	private static final double STEADY = 0.8;

	private static final double OVERLOAD = 4;

	private final Options options;

	private final Map<Workload, Map<Contender, List<Sample>>> samples = new EnumMap<>(Workload.class);

	Comparison(Options options) {
		this.options = options;
	}

	/**
	 * What one round found.
	 *
	 * @param steady at four fifths of the requests it just answered, if it was asked
	 * @param overload at four times as many
	 */
	record Sample(Figures figures, OpenLoop.@Nullable Outcome steady, OpenLoop.@Nullable Outcome overload) {

		boolean atRates() {
			return this.steady != null && this.overload != null;
		}

	}

	void run() throws IOException, InterruptedException {
		List<Contender> contenders = new ArrayList<>();
		for (Contender contender : this.options.contenders()) {
			String missing = contender.missing();
			if (missing == null) {
				contenders.add(contender);
			}
			else {
				System.out.printf("Left out for want of %s: %s%n", missing, contender.title());
			}
		}
		for (int round = 1; round <= this.options.rounds(); round++) {
			System.out.printf("Round %d of %d%n", round, this.options.rounds());
			for (Contender contender : (round % 2 == 1) ? contenders : contenders.reversed()) {
				for (OnnxFile model : OnnxFile.values()) {
					measure(contender,
							this.options.workloads()
								.stream()
								.filter((workload) -> workload.model() == model && contender.does(workload))
								.toList());
				}
			}
		}
		write();
	}

	private void measure(Contender contender, List<Workload> workloads) throws IOException, InterruptedException {
		if (workloads.isEmpty()) {
			return;
		}
		if (!contender.isServer()) {
			for (Workload workload : workloads) {
				add(workload, contender, new Sample(ModelLoop.run(workload, this.options.seconds()), null, null));
			}
			return;
		}
		OnnxFile model = workloads.getFirst().model();
		try (Server server = Server.start(contender, model)) {
			int warmUp = this.options.warmUp();
			for (Workload workload : workloads) {
				server.awaitAnswer(contender.request(workload), contender.expected(model));
				add(workload, contender, measure(server.port(), contender, workload, warmUp));
				warmUp = this.options.seconds();
			}
		}
	}

	private Sample measure(int port, Contender contender, Workload workload, int warmUp)
			throws IOException, InterruptedException {
		Request request = contender.request(workload);
		int seconds = this.options.seconds();
		ClosedLoop.run(port, request, ClosedLoop.CONNECTIONS, warmUp);
		Figures figures = ClosedLoop.run(port, request, ClosedLoop.CONNECTIONS, seconds);
		if (!contender.servesModels() || !workload.atRates()) {
			return new Sample(figures, null, null);
		}
		return new Sample(figures, atRate(port, request, STEADY * figures.perSecond()),
				atRate(port, request, OVERLOAD * figures.perSecond()));
	}

	// Twice: what only such a load calls is compiled by then.
	private OpenLoop.Outcome atRate(int port, Request request, double rate) throws IOException, InterruptedException {
		OpenLoop.run(port, request, rate, this.options.seconds());
		return OpenLoop.run(port, request, rate, this.options.seconds());
	}

	private void add(Workload workload, Contender contender, Sample sample) {
		System.out.printf("  %s, %s: %s/s%n", workload.title(), contender.title(),
				Spread.format(sample.figures().perSecond()));
		this.samples.computeIfAbsent(workload, (_) -> new EnumMap<>(Contender.class))
			.computeIfAbsent(contender, (_) -> new ArrayList<>())
			.add(sample);
	}

	private void write() throws IOException, InterruptedException {
		Table table = new Table("workload", "contender", "requests/s", "p50 ms", "p99 ms", "failed", "80 %: p50 ms",
				"p99 ms", "failed", "400 %: sent/s", "200s/s", "429s and 504s/s", "p99 ms", "failed");
		Plot plot = new Plot();
		this.samples.forEach((workload, contenders) -> {
			plot.panel(workload.title() + ": " + workload.description());
			contenders.forEach((contender, rounds) -> {
				Spread rate = Spread.of(rounds, (round) -> round.figures().perSecond());
				Spread p99 = Spread.of(rounds, (round) -> round.figures().p99());
				plot.bar(contender.title(), rate, p99);
				table.row(workload.title(), contender.title(), rate,
						Spread.of(rounds, (round) -> round.figures().median()), p99,
						Spread.of(rounds, (round) -> round.figures().failed()),
						steady(rounds, OpenLoop.Outcome::median), steady(rounds, OpenLoop.Outcome::p99),
						steady(rounds, OpenLoop.Outcome::failed), overload(rounds, OpenLoop.Outcome::sent),
						overload(rounds, OpenLoop.Outcome::good), overload(rounds, OpenLoop.Outcome::refused),
						overload(rounds, OpenLoop.Outcome::p99), overload(rounds, OpenLoop.Outcome::failed));
			});
		});
		Report.write("results.md", this.options, table.toString());
		Files.writeString(Path.of("target/bench/results.svg"), plot.svg());
	}

	private static String steady(List<Sample> rounds, ToDoubleFunction<OpenLoop.Outcome> value) {
		return rounds.getFirst().atRates()
				? Spread.of(rounds, (round) -> value.applyAsDouble(Objects.requireNonNull(round.steady()))).toString()
				: "";
	}

	private static String overload(List<Sample> rounds, ToDoubleFunction<OpenLoop.Outcome> value) {
		return rounds.getFirst().atRates()
				? Spread.of(rounds, (round) -> value.applyAsDouble(Objects.requireNonNull(round.overload()))).toString()
				: "";
	}

}
