package inference.lifecycle;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import inference.model.Example;
import inference.model.FakeModel;
import inference.model.Gate;
import inference.model.ModelMetadata;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.UnusableModelException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

@ExtendWith(OutputCaptureExtension.class)
class ModelLifecycleTests {

	private final FakeModel model = new FakeModel();

	private final Gate gate = new Gate();

	private final LinkedBlockingQueue<Snapshot> events = new LinkedBlockingQueue<>();

	@Test
	void startsWithoutWaitingForTheModelsConstructor() throws Exception {
		var lifecycle = start(() -> {
			this.gate.pass();
			return this.model;
		});
		this.gate.awaitArrivals(1);
		assertThat(lifecycle.isRunning()).isTrue();
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.LOADING);
		assertThat(lifecycle.snapshot().reason()).isEqualTo("the model is loading");
		assertThat(lifecycle.metadata()).isNull();
		assertThat(this.events).isEmpty();
		assertRefuses(lifecycle);
		this.gate.open();
		await(State.READY);
		assertThat(lifecycle.metadata()).isEqualTo(ModelMetadata.of(this.model))
			.extracting(ModelMetadata::platform)
			.isEqualTo("java_class");
	}

	@Test
	void warmsTheModelUpBeforeItServes() throws Exception {
		this.model.holdUpAt(this.gate);
		var lifecycle = start(() -> this.model);
		this.gate.awaitArrivals(1);
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.WARMING);
		assertThat(lifecycle.metadata()).isEqualTo(ModelMetadata.of(this.model));
		assertRefuses(lifecycle);
		this.gate.open();
		await(State.READY);
	}

	@Test
	void doesNotBecomeReadyOnceItsLoadingWasEnded() throws Exception {
		this.model.holdUpAt(this.gate);
		var lifecycle = start(() -> this.model);
		this.gate.awaitArrivals(1);
		assertThat(lifecycle.closeIfStarting()).isTrue();
		lifecycle.become(State.READY, "the model serves");
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.CLOSED);
		assertRefuses(lifecycle);
		this.gate.open();
	}

	@Test
	void leavesAModelThatServesAsItIsWhenAskedToEndItsLoading() throws Exception {
		var lifecycle = start(() -> this.model);
		await(State.READY);
		assertThat(lifecycle.closeIfStarting()).isFalse();
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.READY);
	}

	@Test
	void warmsUpOnZerosOfTheSmallestShape() throws Exception {
		var inputs = new LinkedBlockingQueue<Tensor>();
		var matrix = new FakeModel(Shape.of(-1, 2, -1));
		matrix.behave((question) -> {
			inputs.addAll(question.values());
			return FakeModel.echo(question);
		});
		start(() -> matrix);
		await(State.READY);
		assertThat(inputs).isNotEmpty().allSatisfy((tensor) -> {
			assertThat(tensor).hasToString("FP32 [1,2,1]");
			assertThat(tensor.floats()).containsOnly(0);
		});
	}

	@Test
	void becomesReadyThoughAnOutputForZerosIsInfinite() throws Exception {
		this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(1), Float.NEGATIVE_INFINITY)));
		start(() -> this.model);
		await(State.READY);
	}

	@Test
	void becomesReadyThoughTheModelRefusesZeros(CapturedOutput output) throws Exception {
		this.model.behave((_) -> {
			throw new IllegalArgumentException("Unknown category and zeros = 0");
		});
		start(() -> this.model);
		await(State.READY);
		assertThat(output.toString().lines().filter((line) -> line.contains("WARN"))).singleElement()
			.asString()
			.contains("no golden examples, and it refused zeros: Unknown category and zeros = 0. Add an example");
	}

	@Test
	void warmsUpOnTheInputsOfAnExampleIfThereIsOne(CapturedOutput output) throws Exception {
		var temperatures = new FakeModel(new Example(FakeModel.question(20), Map.of(), 0));
		temperatures.behave((inputs) -> {
			if (y(Map.of("y", Objects.requireNonNull(inputs.get("x"))))[0] == 0) {
				throw new IllegalArgumentException("0 is no temperature");
			}
			return FakeModel.echo(inputs);
		});
		start(() -> temperatures);
		await(State.READY);
		assertThat(output).contains(" warmed up by ").doesNotContain("WARN", "warmed up by 0 runs");
	}

	@Test
	void triesLargerSizesUntilTheModelAcceptsOne(CapturedOutput output) throws Exception {
		var images = new FakeModel(Shape.of(-1, 3, -1, -1));
		images.behave((inputs) -> {
			if (Objects.requireNonNull(inputs.get("x")).shape().dimension(2) < 50) {
				throw new IllegalStateException("the kernel is larger than the image");
			}
			return FakeModel.echo(inputs);
		});
		start(() -> images);
		await(State.READY);
		assertThat(output).contains("zeros of the size 64, because it refused the size 1: the kernel is larger")
			.doesNotContain("WARN");
	}

	@Test
	void saysWhichSizesItTriedInVain(CapturedOutput output) throws Exception {
		var images = new FakeModel(Shape.of(-1, 3, -1, -1));
		images.behave((_) -> {
			throw new IllegalStateException("this is no image");
		});
		start(() -> images);
		await(State.READY);
		assertThat(output).contains("WARN", "zeros of the sizes [1, 16, 64, 224, 512]: this is no image");
	}

	@Test
	void doesNotTryASizeThatNeedsTooMuchMemory() throws Exception {
		var sizes = new LinkedBlockingQueue<Long>();
		var volumes = new FakeModel(Shape.of(-1, -1, -1, -1, -1, -1, -1, -1));
		volumes.behave((inputs) -> {
			sizes.add(Objects.requireNonNull(inputs.get("x")).shape().elementCount());
			throw new IllegalStateException("too small");
		});
		start(() -> volumes);
		await(State.READY);
		assertThat(sizes).containsExactly(1L);
	}

	@Test
	void publishesEveryChangeOnce() throws Exception {
		var lifecycle = start(() -> this.model);
		var warming = next();
		var ready = next();
		lifecycle.stop();
		lifecycle.stop();
		var draining = next();
		lifecycle.destroy();
		var closed = next();
		assertThat(List.of(warming, ready, draining, closed)).extracting(Snapshot::state)
			.containsExactly(State.WARMING, State.READY, State.DRAINING, State.CLOSED);
		assertThat(List.of(warming, ready, draining, closed)).extracting(Snapshot::reason)
			.containsExactly("the model is warming up", "the model serves", "the process was asked to end",
					"the model is closed");
		assertThat(this.events).isEmpty();
		assertThat(lifecycle.snapshot()).isEqualTo(closed);
		assertThat(lifecycle.isRunning()).isFalse();
	}

	@Test
	void failsWithTheWordsOfAModelThatIsUnusable() throws Exception {
		var absent = new UnusableModelException("There is no model at /models/a.onnx.", "Mount one.", null);
		var lifecycle = start(() -> {
			throw new IllegalStateException("bean 'a' was not created", absent);
		});
		assertThat(await(State.FAILED).reason()).isEqualTo("There is no model at /models/a.onnx. Mount one.");
		assertRefuses(lifecycle);
	}

	@Test
	void failsOnErrorsToo() throws Exception {
		start(() -> {
			throw new IllegalStateException("bean 'a' was not created", new UnsatisfiedLinkError("no libonnxruntime"));
		});
		assertThat(await(State.FAILED).reason())
			.isEqualTo("The model 'fake' could not be loaded: java.lang.UnsatisfiedLinkError: no libonnxruntime");
	}

	@Test
	void failsWhenTheModelThrowsAnErrorInItsWarmUp() throws Exception {
		this.model.behave((_) -> {
			throw new StackOverflowError("too deep");
		});
		var lifecycle = start(() -> this.model);
		assertThat(await(State.FAILED).reason())
			.isEqualTo("The model 'fake' could not be loaded: java.lang.StackOverflowError: too deep");
		assertRefuses(lifecycle);
	}

	@Test
	void failsAndFreesTheModelWhenAnOutputIsNotAsDeclared() throws Exception {
		var images = new FakeModel(Shape.of(-1, 3, -1, -1));
		images.behave((_) -> Map.of());
		var lifecycle = start(() -> images);
		assertThat(await(State.FAILED).reason()).endsWith("the model did not return output 'y'");
		lifecycle.stop();
		lifecycle.destroy();
		assertThat(images.closings()).isOne();
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.CLOSED);
	}

	@Test
	void asksTheModelForNothingButOutputsOnceItServes() {
		var lifecycle = Lifecycles.ready(this.model);
		int before = this.model.questions();
		lifecycle.infer(FakeModel.question(1), IllegalStateException::new);
		assertThat(lifecycle.metadata()).isNotNull();
		assertThat(this.model.questions()).isEqualTo(before);
	}

	@Test
	void passesOnTheModelsRefusalOfAnInput() {
		var lifecycle = Lifecycles.ready(this.model);
		this.model.behave((_) -> {
			throw new IllegalArgumentException("-300 is no temperature");
		});
		assertThatIllegalArgumentException()
			.isThrownBy(() -> lifecycle.infer(FakeModel.question(-300), IllegalStateException::new))
			.withMessage("-300 is no temperature");
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.READY);
		assertThat(lifecycle.runningCalls()).isZero();
	}

	@Test
	void servesWhileItDrains() {
		var lifecycle = Lifecycles.ready(this.model);
		lifecycle.stop();
		assertThat(lifecycle.snapshot().state()).isEqualTo(State.DRAINING);
		assertThat(lifecycle.isRunning()).isTrue();
		assertThat(y(lifecycle.infer(FakeModel.question(1), IllegalStateException::new))).containsExactly(1);
		assertThat(this.model.closings()).isZero();
	}

	@Test
	void freesTheModelOnceAndServesNoMore() {
		var lifecycle = Lifecycles.ready(this.model);
		lifecycle.stop();
		lifecycle.destroy();
		assertThat(this.model.closings()).isOne();
		assertRefuses(lifecycle);
	}

	@Test
	void neverFreesTheModelUnderACall() throws Exception {
		var lifecycle = Lifecycles.ready(this.model);
		this.model.holdUpAt(this.gate);
		var call = CompletableFuture.supplyAsync(
				() -> lifecycle.infer(FakeModel.question(5), IllegalStateException::new), Thread::startVirtualThread);
		this.gate.awaitArrivals(1);
		lifecycle.stop();
		lifecycle.destroy();
		assertThat(lifecycle.runningCalls()).isOne();
		assertThat(this.model.closings()).isZero();
		this.gate.open();
		assertThat(y(call.get(10, TimeUnit.SECONDS))).containsExactly(5);
		assertThat(lifecycle.runningCalls()).isZero();
	}

	@Test
	void neverFreesTheModelUnderItsWarmUp() {
		this.model.holdUpAt(this.gate);
		var lifecycle = start(() -> this.model);
		this.gate.awaitArrivals(1);
		lifecycle.stop();
		lifecycle.destroy();
		assertThat(lifecycle.runningCalls()).as("or the process would end in good order, under the model").isOne();
		assertThat(this.model.closings()).isZero();
		this.gate.open();
	}

	@Test
	void neverEndsInGoodOrderUnderTheModelsConstructor() {
		var lifecycle = start(() -> {
			this.gate.pass();
			return this.model;
		});
		this.gate.awaitArrivals(1);
		lifecycle.stop();
		lifecycle.destroy();
		assertThat(lifecycle.runningCalls()).isOne();
		this.gate.open();
	}

	@Test
	void mayEndBeforeItStarted() {
		var lifecycle = Lifecycles.of(() -> this.model, this::publish);
		assertThat(lifecycle.isRunning()).isFalse();
		lifecycle.destroy();
		assertThat(this.model.closings()).isZero();
	}

	private ModelLifecycle start(Supplier<Model> constructor) {
		var lifecycle = Lifecycles.of(constructor, this::publish);
		lifecycle.start();
		return lifecycle;
	}

	private void publish(Object event) {
		this.events.add((Snapshot) event);
	}

	private Snapshot next() throws InterruptedException {
		var snapshot = this.events.poll(10, TimeUnit.SECONDS);
		assertThat(snapshot).as("an event").isNotNull();
		return snapshot;
	}

	private Snapshot await(State state) throws InterruptedException {
		var snapshot = next();
		while (snapshot.state() != state) {
			assertThat(snapshot.state()).as(snapshot.reason()).isNotEqualTo(State.FAILED);
			snapshot = next();
		}
		return snapshot;
	}

	private static void assertRefuses(ModelLifecycle lifecycle) {
		int running = lifecycle.runningCalls();
		var snapshot = lifecycle.snapshot();
		assertThatExceptionOfType(IllegalStateException.class)
			.isThrownBy(() -> lifecycle.infer(FakeModel.question(1), IllegalStateException::new))
			.withMessage(snapshot.reason());
		assertThat(lifecycle.runningCalls()).isEqualTo(running);
	}

	private static float[] y(Map<String, Tensor> outputs) {
		return Objects.requireNonNull(outputs.get("y")).floats();
	}

}
