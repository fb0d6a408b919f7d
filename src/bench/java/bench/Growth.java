package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What becomes of this server's figures as batches, clients, bodies and CPUs grow: on one
 * server each, round by round over all steps.
 */
final class Growth {

	private final Options options;

	Growth(Options options) {
		this.options = options;
	}

	/** A load. */
	private record Step(String title, int rows, Request request, int connections) {
	}

	void run() throws IOException, InterruptedException {
		String missing = Contender.SERVER.missing();
		if (missing != null) {
			System.out.printf("Left out for want of %s: growth%n", missing);
			return;
		}
		String tables = "\n## Rows per request\n\n" + measure(OnnxFile.IRIS, batches()) + "\n## Connections\n\n"
				+ measure(OnnxFile.IRIS, connections())
				+ "\n## Size of the tensor, sent and answered as bytes, 4 connections\n\n"
				+ measure(OnnxFile.IRIS, payloads(), "env", "INFERENCE_REQUEST_MAX_SIZE=17MB")
				+ "\n## CPUs of the server\n\n" + processors();
		Report.write("growth.md", this.options, tables);
	}

	private static List<Step> batches() {
		List<Step> steps = new ArrayList<>();
		for (int rows : new int[] { 1, 4, 16, 64, 256 }) {
			List<Input> inputs = Input.flowers(rows);
			steps.add(new Step(rows + " in JSON", rows, Request.oip(OnnxFile.IRIS, inputs), ClosedLoop.CONNECTIONS));
			steps.add(new Step(rows + " in bytes", rows, Request.oipBinary(OnnxFile.IRIS, inputs),
					ClosedLoop.CONNECTIONS));
		}
		return steps;
	}

	private static List<Step> connections() {
		List<Step> steps = new ArrayList<>();
		for (int connections = 1; connections <= 1024; connections *= 4) {
			steps.add(new Step(String.valueOf(connections), 1, Workload.IRIS_JSON.request(), connections));
		}
		return steps;
	}

	private static List<Step> payloads() {
		List<Step> steps = new ArrayList<>();
		for (int bytes = 16; bytes <= 16 * 1024 * 1024; bytes *= 16) {
			int rows = bytes / 16;
			steps.add(new Step(size(bytes), rows,
					Request.oipBinary(OnnxFile.IRIS, Input.flowers(rows), "probabilities"), 4));
		}
		return steps;
	}

	private static String size(int bytes) {
		return (bytes < 1024) ? bytes + " B"
				: (bytes < 1024 * 1024) ? bytes / 1024 + " kB" : bytes / 1024 / 1024 + " MB";
	}

	private Table processors() throws IOException, InterruptedException {
		Table table = table();
		for (int count = 1; count <= Math.min(2, Runtime.getRuntime().availableProcessors()); count++) {
			for (Workload workload : List.of(Workload.IRIS_JSON, Workload.MINILM_16)) {
				Step step = new Step(count + ", " + workload.title(), 1, workload.request(), ClosedLoop.CONNECTIONS);
				measure(table, workload.model(), List.of(step), "taskset", "--cpu-list", "0-" + (count - 1));
			}
		}
		return table;
	}

	private Table measure(OnnxFile model, List<Step> steps, String... prefix) throws IOException, InterruptedException {
		Table table = table();
		measure(table, model, steps, prefix);
		return table;
	}

	private static Table table() {
		return new Table("", "requests/s", "rows/s", "p50 ms", "p99 ms", "failed");
	}

	private void measure(Table table, OnnxFile model, List<Step> steps, String... prefix)
			throws IOException, InterruptedException {
		List<List<Figures>> rounds = new ArrayList<>();
		try (Server server = Server.start(Contender.SERVER, model, prefix)) {
			int warmUp = this.options.warmUp();
			for (Step step : steps) {
				server.awaitAnswer(step.request(), "");
				ClosedLoop.run(server.port(), step.request(), step.connections(), warmUp);
				warmUp = this.options.seconds();
				rounds.add(new ArrayList<>());
			}
			for (int round = 0; round < this.options.rounds(); round++) {
				for (int i = 0; i < steps.size(); i++) {
					Step step = steps.get(i);
					rounds.get(i)
						.add(ClosedLoop.run(server.port(), step.request(), step.connections(), this.options.seconds()));
				}
			}
		}
		for (int i = 0; i < steps.size(); i++) {
			Step step = steps.get(i);
			List<Figures> figures = rounds.get(i);
			System.out.printf("  %s: %s/s%n", step.title(), Spread.of(figures, Figures::perSecond));
			table.row(step.title(), Spread.of(figures, Figures::perSecond),
					Spread.of(figures, (round) -> round.perSecond() * step.rows()), Spread.of(figures, Figures::median),
					Spread.of(figures, Figures::p99), Spread.of(figures, Figures::failed));
		}
	}

}
