package inference.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What ONNX Runtime makes of a model's operators, as it writes it to a file when asked.
 */
class OnnxOptionsTests {

	private static final String FUSED = "LayerNormalization";

	private final Path directory;

	OnnxOptionsTests(@TempDir Path directory) {
		this.directory = directory;
	}

	@Test
	void leavesLayerNormalizationInTheOperatorsItWasExportedAs() throws IOException {
		assertThat(operators()).contains("ReduceMean").doesNotContain(FUSED);
	}

	@Test
	void givesWhatIsConfiguredPrecedence() throws IOException {
		assertThat(operators("optimization.disable_specified_optimizers=")).containsExactly(FUSED);
	}

	@Test
	void saysWhichPropertyOnnxRuntimeRefuses() {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> operators("k".repeat(2000) + "=1"))
			.satisfies((failure) -> assertThat(failure.description()).startsWith("ONNX Runtime refuses its options: ")
				.contains("longer than maximum length"))
			.satisfies((failure) -> assertThat(failure.action()).contains("INFERENCE_MODEL_SESSIONCONFIG"));
	}

	private List<String> operators(String... config) throws IOException {
		Path file = this.directory.resolve("model.onnx");
		Path optimized = this.directory.resolve("optimized.onnx");
		Files.write(file, OnnxFiles.layerNormalization());
		String[] entries = Arrays.copyOf(config, config.length + 1);
		entries[config.length] = "session.optimized_model_filepath=" + optimized;
		new OnnxModel(new ModelProperties("test", "1", file.toString(), 1, "cpu", List.of(entries))).close();
		return ModelProto.parseFrom(Files.readAllBytes(optimized))
			.getGraph()
			.getNodeList()
			.stream()
			.map(NodeProto::getOpType)
			.toList();
	}

}
