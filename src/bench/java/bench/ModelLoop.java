package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import ai.onnxruntime.OrtSession;
import org.HdrHistogram.Histogram;

/**
 * A program that runs a model in a loop, with nothing around it: on as many threads, each
 * with as many of ONNX Runtime's, as the server has calls inside the model at once.
 */
final class ModelLoop {

	private static final int THREADS = Runtime.getRuntime().availableProcessors();

	private ModelLoop() {
	}

	static Figures run(Contender contender, Workload workload, int seconds) throws IOException, InterruptedException {
		List<String> command = Commands.java(Commands.serverOptions(), ModelLoop.class.getName(), contender.name(),
				workload.name(), String.valueOf(seconds));
		return Figures.parse(Commands.output(command, Commands.environment()));
	}

	/**
	 * Takes the contender, the workload, and for how many seconds to warm up, and then to
	 * measure.
	 */
	public static void main(String[] args) throws Exception {
		Map<String, String> config = Contender.valueOf(args[0]).sessionConfig();
		Workload workload = Workload.valueOf(args[1]);
		try (OrtSession session = PlainModel.load(workload.model(), config)) {
			PlainModel model = PlainModel.of(session, workload);
			int seconds = Integer.parseInt(args[2]);
			loop(model, seconds);
			Histogram times = loop(model, seconds);
			System.out.println(Figures.format(times, TimeUnit.SECONDS.toNanos(seconds)));
		}
	}

	private static Histogram loop(PlainModel model, int seconds) throws Exception {
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
		Callable<Histogram> caller = () -> {
			Histogram times = new Histogram(3);
			long before = System.nanoTime();
			while (before < end) {
				model.run().close();
				long after = System.nanoTime();
				times.recordValue(after - before);
				before = after;
			}
			return times;
		};
		Histogram all = new Histogram(3);
		try (ExecutorService threads = Executors.newFixedThreadPool(THREADS)) {
			List<Future<Histogram>> callers = new ArrayList<>();
			for (int i = 0; i < THREADS; i++) {
				callers.add(threads.submit(caller));
			}
			for (Future<Histogram> times : callers) {
				all.add(times.get());
			}
		}
		return all;
	}

}
