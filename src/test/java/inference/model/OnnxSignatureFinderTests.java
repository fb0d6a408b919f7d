package inference.model;

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
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class OnnxSignatureFinderTests {

	private final Path directory;

	OnnxSignatureFinderTests(@TempDir Path directory) {
		this.directory = directory;
	}

	@ParameterizedTest
	@CsvSource({ "4096,4096", "65536,65536", "-1,-1" })
	void needsNoMemoryForLargeInputsWhileLoading(long height, long width) throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.identity(TensorProto.DataType.FLOAT, -1, -1, -1, -1, height, width),
				this.directory)) {
			assertThat(model.signature().inputs()).singleElement()
				.hasToString("x FP32 [-1,-1,-1,-1,%d,%d]".formatted(height, width));
		}
	}

	@Test
	void keepsTheKeysOfMapsWhateverTheirCharacters() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.maps("veður", "ð", "🙂", "🙂🙂 b", "a"), this.directory)) {
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
	void answersOneRowOfAModelThatRemovesItsDimension() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.squeezed(), this.directory)) {
			for (int rows : new int[] { 1, 2 }) {
				var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(rows, 1), new float[rows])));
				assertThat(outputs.get("y")).hasToString((rows == 1) ? "FP32 []" : "FP32 [2]");
				model.signature().requireOutputs(outputs);
			}
		}
	}

	@Test
	void stacksASequenceThatIsAsLongAsTheBatch() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.sequence("SplitToSequence"), this.directory)) {
			var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(3), 1, 2, 3)));
			assertThat(outputs.get("y")).hasToString("FP32 [1,3]");
			model.signature().requireOutputs(outputs);
		}
	}

	@Test
	void declaresNoBatchForASequenceThatSplitsTheRows() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.sequence("SplitToSequence"), this.directory)) {
			assertThat(model.signature().outputs()).singleElement()
				.extracting(TensorSpec::shape)
				.isEqualTo(Shape.UNKNOWN_RANK);
		}
	}

	@Test
	void keepsTheDeclaredShapeOfAnOutputWithoutARowForEachInputRow() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.positions(), this.directory)) {
			assertThat(model.signature().outputs()).singleElement().hasToString("y INT64 [-1,2]");
			assertThat(model.signature().isBatchable()).isFalse();
			var positions = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(1, 4), 0, 5, 0, 7)));
			assertThat(positions.get("y")).hasToString("INT64 [2,2]");
			model.signature().requireOutputs(positions);
			var position = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(1, 4), 0, 5, 0, 0)));
			assertThat(position.get("y")).hasToString("INT64 [2]");
			model.signature().requireOutputs(position);
		}
	}

	@Test
	void tellsAScalarFromAnInputOfUnknownRank() throws Exception {
		// ONNX Runtime accepts any rank for both.
		try (var model = OnnxFiles.load(OnnxFiles.scaled(), this.directory)) {
			assertThat(model.signature().inputs()).extracting(TensorSpec::shape)
				.containsExactly(Shape.of(-1, 2), Shape.of());
		}
	}

	@Test
	void triesAScalarForAnInputOfUnknownRank() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.counted("SequenceConstruct"), this.directory)) {
			assertThat(model.signature().inputs()).singleElement().hasToString("limit INT64 [-1]");
			assertThat(model.signature().outputs()).singleElement().extracting(TensorSpec::name).isEqualTo("y");
		}
	}

	@Test
	void answersNoRowsWithEmptyMaps() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.maps("a", "b"), this.directory)) {
			var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(0, 2))));
			assertThat(outputs.get("y")).hasToString("FP32 [0,2]");
			model.signature().requireOutputs(outputs);
		}
	}

	@Test
	void answersAnEmptySequenceWithoutRows() throws Exception {
		try (var model = OnnxFiles.load(OnnxFiles.counted("SplitToSequence"), this.directory)) {
			var outputs = model.infer(Map.of("limit", Tensor.ofLongs(Shape.of(), -1)));
			assertThat(outputs.get("y")).hasToString("INT64 [0]");
			model.signature().requireOutputs(outputs);
		}
	}

	@Test
	void namesTheRemedyForASequenceThatItCannotRead() {
		assertThatExceptionOfType(UnusableModelException.class)
			.isThrownBy(() -> OnnxFiles.load(OnnxFiles.sequence("SplitToSequence", TensorProto.DataType.FLOAT16),
					this.directory))
			.withMessageContaining("cast it to FP32, FP64, INT64 or a string inside the model");
	}

}
