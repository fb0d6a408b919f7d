package bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * All contenders side by side: in each round every one is started anew, in every other
 * round the other way round.
 */
final class Comparison {

	private final Options options;

	private final Map<Workload, Map<Contender, List<Figures>>> figures = new EnumMap<>(Workload.class);

	Comparison(Options options) {
		this.options = options;
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
				add(workload, contender, ModelLoop.run(contender, workload, this.options.seconds()));
			}
			return;
		}
		OnnxFile model = workloads.getFirst().model();
		try (Server server = Server.start(contender, model)) {
			int warmUp = this.options.warmUp();
			for (Workload workload : workloads) {
				Request request = contender.request(workload);
				server.awaitAnswer(request, contender.expected(model));
				ClosedLoop.run(server.port(), request, ClosedLoop.CONNECTIONS, warmUp);
				add(workload, contender,
						ClosedLoop.run(server.port(), request, ClosedLoop.CONNECTIONS, this.options.seconds()));
				warmUp = this.options.seconds();
			}
		}
	}

	private void add(Workload workload, Contender contender, Figures found) {
		System.out.printf("  %s, %s: %s/s%n", workload.title(), contender.title(), Spread.format(found.perSecond()));
		this.figures.computeIfAbsent(workload, (_) -> new EnumMap<>(Contender.class))
			.computeIfAbsent(contender, (_) -> new ArrayList<>())
			.add(found);
	}

	private void write() throws IOException, InterruptedException {
		Table table = new Table("workload", "contender", "requests/s", "p50 ms", "p99 ms", "failed");
		Plot plot = new Plot();
		this.figures.forEach((workload, contenders) -> {
			plot.panel(workload.title() + ": " + workload.description());
			contenders.forEach((contender, rounds) -> {
				Spread rate = Spread.of(rounds, Figures::perSecond);
				Spread p99 = Spread.of(rounds, Figures::p99);
				plot.bar(contender.title(), rate, p99);
				table.row(workload.title(), contender.title(), rate, Spread.of(rounds, Figures::median), p99,
						Spread.of(rounds, Figures::failed));
			});
		});
		Report.write("results.md", this.options, table.toString());
		Files.writeString(Path.of("target/bench/results.svg"), plot.svg());
	}

}
