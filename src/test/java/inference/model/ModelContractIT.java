package inference.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Stream;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Checks that the tests of {@link ModelContract} pass for a correct model and fail for
 * incorrect ones.
 */
@Isolated
class ModelContractIT {

	private static final Duration DEADLINE = Duration.ofSeconds(4);

	private final Queue<ByteBuffer> left = new ConcurrentLinkedQueue<>();

	private final FakeModel model = new FakeModel();

	@TestFactory
	Stream<DynamicTest> passWithAModelThatHoldsToIt(@TempDir Path directory) throws IOException {
		String examples = "[{\"inputs\":{\"x\":[1,2]},\"outputs\":{\"y\":[1,2]},\"tolerance\":0}]";
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.echo(examples));
		return tests(() -> OnnxFiles.open(file.toString()));
	}

	@TestFactory
	Stream<DynamicTest> passWithAModelWithoutExamplesButForThese(@TempDir Path directory) throws IOException {
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.twoInputs());
		return tests(() -> OnnxFiles.open(file.toString()))
			.filter((test) -> !test.getDisplayName().equals("gets its examples right"));
	}

	@Test
	void passWithCallsOfAnyNumberOfRows(@TempDir Path directory) throws Throwable {
		try (OnnxModel onnx = OnnxFiles.load(OnnxFiles.identity(DataType.FLOAT, -1), directory)) {
			this.model.behave((inputs) -> {
				for (int rows : new int[] { 0, 1, 32, 1000 }) {
					onnx.infer(FakeModel.question(new float[rows]));
				}
				return onnx.infer(inputs);
			});
			find("keeps nothing of a call", tests(() -> this.model)).getExecutable().execute();
		}
	}

	@Test
	void noticeAnExampleThatIsWrong() {
		Map<String, Tensor> question = FakeModel.question(1, 2);
		FakeModel wrong = new FakeModel(new Example(question, Map.of("y", Tensor.ofFloats(Shape.of(2), 1, 3)), 0));
		assertNoticed("gets its examples right", () -> wrong, "is 2.0 instead of 3.0");
	}

	@Test
	void noticeAnOutputOfAnotherLength() {
		this.model.behave((_) -> Map.of("y", Tensor.ofFloats(Shape.of(1), 1)));
		assertNoticed("answers as its signature says", () -> this.model, "rows of output 'y' for 2 of input");
	}

	@Test
	void noticeRowsThatSeeEachOther() {
		this.model.behave((inputs) -> {
			float[] values = values(inputs);
			Arrays.fill(values, values.length);
			return Map.of("y", Tensor.ofFloats(Shape.of(values.length), values));
		});
		assertNoticed("answers rows together as it answers them alone", () -> this.model, "row 0 alone");
	}

	@Test
	void noticeACallThatGetsAnothersAnswer() {
		AtomicReference<Map<String, Tensor>> last = new AtomicReference<>(Map.of());
		this.model.behave((inputs) -> {
			last.set(inputs);
			for (int i = 0; i < 1000; i++) {
				Thread.onSpinWait();
			}
			return FakeModel.echo(last.get());
		});
		assertNoticed("answers callers at once as it answers one", () -> this.model, "concurrent callers");
	}

	@Test
	void noticeAMistakeThatIsNotRefused() {
		this.model.behave((inputs) -> {
			if (Float.isNaN(values(inputs)[0])) {
				throw new IllegalStateException("no number");
			}
			return FakeModel.echo(inputs);
		});
		assertNoticed("answers or refuses unlikely values", () -> this.model, "to be refused with an IllegalArgument");
	}

	@Test
	void noticeACallThatTakesTooLong() {
		Stream<DynamicTest> tests = ModelContract.tests(() -> this.model, Duration.ofNanos(1));
		assertNoticed("answers within the deadline", tests, "the slowest call");
	}

	@Test
	void noticeMemoryThatACallLeavesBehind() {
		this.model.behave((inputs) -> {
			this.left.add(ByteBuffer.allocateDirect(1000));
			return FakeModel.echo(inputs);
		});
		assertNoticed("keeps nothing of a call", () -> this.model, "calls, each of which leaves something behind");
	}

	@Test
	void noticeMemoryThatCloseLeavesBehind() {
		assertNoticed("frees what it took", () -> {
			this.left.add(ByteBuffer.allocateDirect(1000));
			return this.model;
		}, "after each of which close() leaves something behind");
	}

	private static void assertNoticed(String test, Supplier<Model> constructor, String message) {
		assertNoticed(test, tests(constructor), message);
	}

	private static void assertNoticed(String name, Stream<DynamicTest> tests, String message) {
		assertThatExceptionOfType(AssertionError.class).isThrownBy(find(name, tests).getExecutable()::execute)
			.withMessageContaining(message);
	}

	private static DynamicTest find(String name, Stream<DynamicTest> tests) {
		return tests.filter((test) -> test.getDisplayName().equals(name)).findFirst().orElseThrow();
	}

	private static Stream<DynamicTest> tests(Supplier<? extends Model> constructor) {
		return ModelContract.tests(constructor, DEADLINE);
	}

	private static float[] values(Map<String, Tensor> inputs) {
		return Objects.requireNonNull(inputs.get("x")).floats();
	}

}
