package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

import org.jspecify.annotations.Nullable;

import bench.OpenLoop.Arrivals;

/**
 * What becomes of the answers, and of their time, when clients ask at a given rate: four
 * fifths of what the server can do, and four times as much. Half of the CPUs are the
 * server's alone and half the load's, so that neither takes the other's time.
 */
final class Rates {

	private static final double STEADY = 0.8;

	private static final double OVERLOAD = 4;

	private static final int CPUS = Runtime.getRuntime().availableProcessors();

	private static final String[] SERVERS = cpus(0, CPUS / 2);

	private static final String[] LOADS = cpus(CPUS / 2, CPUS);

	private final Options options;

	private final Map<Workload, Map<Contender, List<Sample>>> samples = new EnumMap<>(Workload.class);

	Rates(Options options) {
		this.options = options;
	}

	/**
	 * What one round found.
	 *
	 * @param alone of one client, who waits for each answer
	 * @param before of as many clients as keep the server busy
	 * @param even at four fifths of the requests that those got answered, evenly spaced
	 * @param random at the same rate, from clients that do not know of each other
	 * @param overload at four times as many, from such
	 * @param after the same as before
	 */
	private record Sample(Figures alone, Figures before, OpenLoop.Outcome even, OpenLoop.Outcome random,
			OpenLoop.Outcome overload, Figures after) {

		long failed() {
			return this.alone.failed() + this.before.failed() + this.even.failed() + this.random.failed()
					+ this.overload.failed() + this.after.failed();
		}

		// The machine's speed may have changed meanwhile.
		double capacity() {
			return (this.before.perSecond() + this.after.perSecond()) / 2;
		}

	}

	void run() throws IOException, InterruptedException {
		String missing = missing();
		if (missing != null) {
			System.out.printf("Left out for want of %s: rates%n", missing);
			return;
		}
		List<Contender> contenders = this.options.contenders()
			.stream()
			.filter((contender) -> contender.isServer() && contender.servesModels())
			.toList();
		for (int round = 1; round <= this.options.rounds(); round++) {
			System.out.printf("Round %d of %d%n", round, this.options.rounds());
			for (Contender contender : (round % 2 == 1) ? contenders : contenders.reversed()) {
				for (Workload workload : this.options.workloads()) {
					if (contender.does(workload) && workload.atRates()) {
						measure(contender, workload);
					}
				}
			}
		}
		write();
	}

	private static @Nullable String missing() throws IOException, InterruptedException {
		if (CPUS < 2) {
			return "a second CPU";
		}
		return Commands.succeeds("sh", "-c", "command -v taskset") ? Contender.SERVER.missing() : "taskset";
	}

	private void measure(Contender contender, Workload workload) throws IOException, InterruptedException {
		try (Server server = Server.start(contender, workload.model(), SERVERS)) {
			Target target = new Target(server.port(), contender, workload);
			server.awaitAnswer(target.request(), contender.expected(workload.model()));
			warmUp(target);
			Figures alone = closed(target, 1, this.options.seconds());
			Figures before = closed(target, ClosedLoop.CONNECTIONS, this.options.seconds());
			double steady = STEADY * before.perSecond();
			Sample sample = new Sample(alone, before, open(target, Arrivals.EVEN, steady),
					open(target, Arrivals.RANDOM, steady), open(target, Arrivals.RANDOM, OVERLOAD * before.perSecond()),
					closed(target, ClosedLoop.CONNECTIONS, this.options.seconds()));
			System.out.printf("  %s, %s: %s/s%n", workload.title(), contender.title(),
					Spread.format(sample.capacity()));
			this.samples.computeIfAbsent(workload, (_) -> new EnumMap<>(Contender.class))
				.computeIfAbsent(contender, (_) -> new ArrayList<>())
				.add(sample);
		}
	}

	// Refusals are compiled after thousands of them, too.
	private void warmUp(Target target) throws IOException, InterruptedException {
		Figures busy = closed(target, ClosedLoop.CONNECTIONS, this.options.warmUp());
		int twice = Math.max(1, this.options.warmUp() / 2);
		OpenLoop.run(target, Arrivals.RANDOM, OVERLOAD * busy.perSecond(), twice, LOADS);
	}

	private static Figures closed(Target target, int connections, int seconds)
			throws IOException, InterruptedException {
		return ClosedLoop.run(target.port(), target.request(), connections, seconds, LOADS);
	}

	private OpenLoop.Outcome open(Target target, Arrivals arrivals, double rate)
			throws IOException, InterruptedException {
		return OpenLoop.run(target, arrivals, rate, this.options.seconds(), LOADS);
	}

	private void write() throws IOException, InterruptedException {
		Table table = new Table("workload", "contender", "1 connection: p50 ms", "32: requests/s",
				"80 %, evenly: p50 ms", "p99 ms", "p99 / p50 of 1", "80 %, at random: p50 ms", "p99 ms",
				"p99 / p50 of 1", "400 %: sent/s", "200s/s", "200s / capacity", "429s and 504s/s", "p99 ms", "failed");
		this.samples.forEach((workload,
				contenders) -> contenders.forEach((contender, rounds) -> table.row(workload.title(), contender.title(),
						of(rounds, (round) -> round.alone().median()), of(rounds, Sample::capacity),
						of(rounds, (round) -> round.even().median()), of(rounds, (round) -> round.even().p99()),
						of(rounds, (round) -> round.even().p99() / round.alone().median()),
						of(rounds, (round) -> round.random().median()), of(rounds, (round) -> round.random().p99()),
						of(rounds, (round) -> round.random().p99() / round.alone().median()),
						of(rounds, (round) -> round.overload().sent()), of(rounds, (round) -> round.overload().good()),
						of(rounds, (round) -> round.overload().good() / round.capacity()),
						of(rounds, (round) -> round.overload().refused()),
						of(rounds, (round) -> round.overload().p99()), of(rounds, Sample::failed))));
		Report.write("rates.md", this.options, table.toString());
	}

	private static Spread of(List<Sample> rounds, ToDoubleFunction<Sample> value) {
		return Spread.of(rounds, value);
	}

	private static String[] cpus(int from, int to) {
		return new String[] { "taskset", "--cpu-list", "%d-%d".formatted(from, to - 1) };
	}

}
