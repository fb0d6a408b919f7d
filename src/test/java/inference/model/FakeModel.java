package inference.model;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/**
 * A model that returns {@code x}, FP32 [-1], as {@code y}, or does what a test sets. It
 * counts how its methods are called.
 */
public final class FakeModel implements Model {

	private final AtomicInteger inside = new AtomicInteger();

	private final AtomicInteger mostInside = new AtomicInteger();

	private final AtomicInteger closings = new AtomicInteger();

	private final AtomicInteger questions = new AtomicInteger();

	private final Signature signature;

	private final List<Example> examples;

	private volatile UnaryOperator<Map<String, Tensor>> behaviour = FakeModel::echo;

	private volatile Consumer<Thread> cancellation = Thread::interrupt;

	public FakeModel() {
		this(Shape.of(Shape.VARIABLE));
	}

	public FakeModel(Shape shape) {
		this(shape, List.of());
	}

	public FakeModel(Example example) {
		this(Shape.of(Shape.VARIABLE), List.of(example));
	}

	private FakeModel(Shape shape, List<Example> examples) {
		this.examples = examples;
		this.signature = new Signature(List.of(new TensorSpec("x", DataType.FP32, shape)),
				List.of(new TensorSpec("y", DataType.FP32, shape)));
	}

	/** Sets what every later call does. */
	public void behave(UnaryOperator<Map<String, Tensor>> behaviour) {
		this.behaviour = behaviour;
	}

	/** Sets how every later call is cancelled. */
	public void cancelBy(Consumer<Thread> cancellation) {
		this.cancellation = cancellation;
	}

	/** Makes every later call wait until the gate is open. */
	public void holdUpAt(Gate gate) {
		behave((inputs) -> {
			gate.pass();
			return echo(inputs);
		});
	}

	public static Map<String, Tensor> question(float... values) {
		return Map.of("x", Tensor.ofFloats(Shape.of(values.length), values));
	}

	public static Map<String, Tensor> echo(Map<String, Tensor> inputs) {
		return Map.of("y", Objects.requireNonNull(inputs.get("x")));
	}

	public int mostInside() {
		return this.mostInside.get();
	}

	public int closings() {
		return this.closings.get();
	}

	/** The number of calls of {@link #signature()} and {@link #examples()}. */
	public int questions() {
		return this.questions.get();
	}

	@Override
	public Signature signature() {
		this.questions.incrementAndGet();
		return this.signature;
	}

	@Override
	public List<Example> examples() {
		this.questions.incrementAndGet();
		return this.examples;
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		this.mostInside.accumulateAndGet(this.inside.incrementAndGet(), Math::max);
		try {
			return this.behaviour.apply(inputs);
		}
		finally {
			this.inside.decrementAndGet();
		}
	}

	@Override
	public void cancel(Thread caller) {
		this.cancellation.accept(caller);
	}

	@Override
	public void close() {
		this.closings.incrementAndGet();
	}

}
