package inference.model;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import ai.onnx.proto.OnnxMl.TensorProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class OnnxSignatureFinderTests {

	@ParameterizedTest
	@CsvSource({ "4096,4096", "65536,65536", "-1,-1" })
	void loadsAModelOfLargeInputsWithoutThatMuchMemory(long height, long width, @TempDir Path directory)
			throws Exception {
		Path file = Files.write(directory.resolve("model.onnx"),
				OnnxFiles.identity(TensorProto.DataType.FLOAT, -1, -1, -1, -1, height, width));
		try (var model = new OnnxModel(
				new ModelProperties("test", "1", file.toString(), 1, "cpu", List.of(), List.of()))) {
			assertThat(model.signature().inputs()).singleElement()
				.hasToString("x FP32 [-1,-1,-1,-1,%d,%d]".formatted(height, width));
		}
	}

	@Test
	void answersAnOutputOfUnknownRankThatNoTrialShowed() {
		// It multiplies by a matrix [4,3], which the trial cannot know.
		try (var model = OnnxCasesTests.open("norank")) {
			var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(2, 4), 1, 2, 3, 4, 5, 6, 7, 8)));
			assertThat(outputs.get("y")).hasToString("FP32 [2,3]");
			model.signature().requireOutputs(outputs);
		}
	}

	@Test
	void keepsTheKeysOfMapsWhateverTheirCharacters(@TempDir Path directory) throws Exception {
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.maps("veður", "ð", "🙂", "🙂🙂 b", "a"));
		try (var model = new OnnxModel(
				new ModelProperties("test", "1", file.toString(), 1, "cpu", List.of(), List.of()))) {
			assertThat(model.signature().outputs()).singleElement()
				.extracting(TensorSpec::keys)
				.isEqualTo(List.of("a", "veður", "ð", "🙂", "🙂🙂 b"));
			var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(2, 5), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)));
			var y = Objects.requireNonNull(outputs.get("y"));
			assertThat(y).hasToString("FP32 [2,5]");
			assertThat(y.floats()).containsExactly(5, 1, 2, 3, 4, 10, 6, 7, 8, 9);
		}
	}

	@Test
	void answersOneRowOfAModelThatRemovesItsDimension(@TempDir Path directory) throws Exception {
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.squeezed());
		try (var model = new OnnxModel(
				new ModelProperties("test", "1", file.toString(), 1, "cpu", List.of(), List.of()))) {
			for (int rows : new int[] { 1, 2 }) {
				var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(rows, 1), new float[rows])));
				assertThat(outputs.get("y")).hasToString((rows == 1) ? "FP32 []" : "FP32 [2]");
				model.signature().requireOutputs(outputs);
			}
		}
	}

	@Test
	void stacksASequenceThatIsAsLongAsTheBatch(@TempDir Path directory) throws Exception {
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.sequence("SplitToSequence"));
		try (var model = new OnnxModel(
				new ModelProperties("test", "1", file.toString(), 1, "cpu", List.of(), List.of()))) {
			var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(3), 1, 2, 3)));
			assertThat(outputs.get("y")).hasToString("FP32 [1,3]");
			model.signature().requireOutputs(outputs);
		}
	}

}
