package bench;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import org.HdrHistogram.Histogram;

/**
 * A program that runs a model in a loop, with nothing around it: on as many threads, each
 * with as many of ONNX Runtime's, as the server has calls inside the model at once.
 */
final class ModelLoop {

	private static final int THREADS = Runtime.getRuntime().availableProcessors();

	private ModelLoop() {
	}

	static Figures run(Workload workload, int seconds) throws IOException, InterruptedException {
		List<String> command = Commands.java(Commands.serverOptions(), ModelLoop.class.getName(), workload.name(),
				String.valueOf(seconds));
		return Figures.parse(Commands.output(command, Commands.environment()));
	}

	/** Takes the workload, and for how many seconds to warm up, and then to measure. */
	public static void main(String[] args) throws Exception {
		Workload workload = Workload.valueOf(args[0]);
		OrtEnvironment environment = OrtEnvironment.getEnvironment();
		try (SessionOptions options = new SessionOptions()) {
			options.setIntraOpNumThreads(1);
			options.setInterOpNumThreads(1);
			try (OrtSession session = environment.createSession(workload.model().location(), options)) {
				Map<String, OnnxTensor> inputs = new HashMap<>();
				for (Input input : workload.inputs()) {
					inputs.put(input.name(), tensor(environment, input));
				}
				int seconds = Integer.parseInt(args[1]);
				loop(session, inputs, seconds);
				Histogram times = loop(session, inputs, seconds);
				System.out.println(Figures.format(times, TimeUnit.SECONDS.toNanos(seconds)));
			}
		}
	}

	private static OnnxTensor tensor(OrtEnvironment environment, Input input) throws OrtException {
		return input.isFloats() ? OnnxTensor.createTensor(environment, input.bytes().asFloatBuffer(), input.shape())
				: OnnxTensor.createTensor(environment, input.bytes().asLongBuffer(), input.shape());
	}

	private static Histogram loop(OrtSession session, Map<String, OnnxTensor> inputs, int seconds) throws Exception {
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
		Callable<Histogram> caller = () -> {
			Histogram times = new Histogram(3);
			long before = System.nanoTime();
			while (before < end) {
				session.run(inputs).close();
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
