package inference.admission;

import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Threads;

import org.springframework.boot.WebApplicationType;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

import inference.InferenceServer;
import inference.model.DataType;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * All of a call but its model, which returns at once: alone, and with more callers than
 * may be inside.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class AdmissionBenchmark {

	private final Map<String, Tensor> inputs = Map.of("x", Tensor.ofFloats(Shape.of(1), 1));

	private final ConfigurableApplicationContext context = new SpringApplicationBuilder(InferenceServer.class,
			ImmediateModel.class)
		.web(WebApplicationType.NONE)
		.run();

	private final Admission admission = this.context.getBean(Admission.class);

	public AdmissionBenchmark() {
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
		while (System.nanoTime() < end) {
			try {
				this.admission.enter(System.nanoTime(), null).close();
				return;
			}
			catch (Refusal.NotReady ex) {
				Thread.onSpinWait();
			}
		}
		throw new IllegalStateException("The model is not ready");
	}

	@TearDown
	public void close() {
		this.context.close();
	}

	@Benchmark
	public Object infer() {
		try (Ticket ticket = this.admission.enter(System.nanoTime(), null)) {
			return this.admission.infer(this.inputs, ticket.deadline(), Client.PATIENT);
		}
	}

	@Benchmark
	@Threads(8)
	public Object inferAmongEight() {
		return infer();
	}

	/** Returns what it is given. */
	static final class ImmediateModel implements Model {

		@Override
		public Signature signature() {
			return new Signature(List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1))),
					List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1))));
		}

		@Override
		public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
			return inputs;
		}

	}

}
