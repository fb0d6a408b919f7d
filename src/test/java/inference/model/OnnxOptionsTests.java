package inference.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.env.YamlPropertySourceLoader;
import org.springframework.core.io.ClassPathResource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests of ONNX Runtime's options. Some tests let ONNX Runtime write the optimized model
 * to a file, and read the operators from it.
 */
class OnnxOptionsTests {

	private final Path directory;

	OnnxOptionsTests(@TempDir Path directory) {
		this.directory = directory;
	}

	@ParameterizedTest
	@ValueSource(ints = { 15, 17 })
	void doesNotFuseLayerNormalization(int operatorSet) throws IOException {
		assertThat(operators(operatorSet, configured())).containsExactlyInAnyOrder("ReduceMean", "Sub",
				"SimplifiedLayerNormalization", "Add");
	}

	@ParameterizedTest
	@ValueSource(ints = { 15, 17 })
	void fusesLayerNormalizationWithoutTheConfiguredOption(int operatorSet) throws IOException {
		assertThat(operators(operatorSet)).containsExactly("LayerNormalization");
	}

	@Test
	void saysWhichOptionOnnxRuntimeRefuses() {
		String key = "k".repeat(2000);
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> operators(15, key + "=1"))
			.satisfies((failure) -> assertThat(failure.description())
				.startsWith("ONNX Runtime refuses the option %.100s: ".formatted(key))
				.contains("longer than maximum length")
				.doesNotContain(key))
			.satisfies((failure) -> assertThat(failure.action()).contains("inference.model.session-config"));
	}

	@Test
	void suspectsTheOptionsOfAModelThatCannotBeLoaded() {
		assertThatExceptionOfType(UnusableModelException.class)
			.isThrownBy(() -> operators(15, "session.dynamic_block_base=abc"))
			.satisfies((failure) -> assertThat(failure.action())
				.contains("Or correct inference.model.session-config, which is [session.dynamic_block_base=abc"));
	}

	@Test
	void suspectsNoOptionIfItKnowsTheReason() {
		assertThatExceptionOfType(UnusableModelException.class)
			.isThrownBy(() -> operators(99, "session.dynamic_block_base=4"))
			.satisfies((failure) -> assertThat(failure.action()).doesNotContain("session-config"));
	}

	@Test
	void saysWhatToDoIfThereIsNoGpu() {
		var properties = new ModelProperties("test", "1", "classpath:models/cases/norank.onnx", 1, "cuda:1", List.of(),
				List.of());
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> new OnnxModel(properties))
			.withMessageStartingWith("The device cuda:1 cannot be used: ")
			.withMessageEndingWith("or set INFERENCE_MODEL_DEVICE to cpu.");
	}

	private static String configured() throws IOException {
		Object value = new YamlPropertySourceLoader().load("application", new ClassPathResource("application.yaml"))
			.getFirst()
			.getProperty("inference.model.session-config[0]");
		return String.valueOf(value);
	}

	private List<String> operators(int operatorSet, String... config) throws IOException {
		Path file = this.directory.resolve("model.onnx");
		Path optimized = this.directory.resolve("optimized.onnx");
		Files.write(file, OnnxFiles.layerNormalization(operatorSet));
		List<String> entries = Stream
			.concat(Stream.of(config), Stream.of("session.optimized_model_filepath=" + optimized))
			.toList();
		new OnnxModel(new ModelProperties("test", "1", file.toString(), 1, "cpu", entries, List.of())).close();
		return ModelProto.parseFrom(Files.readAllBytes(optimized))
			.getGraph()
			.getNodeList()
			.stream()
			.map(NodeProto::getOpType)
			.toList();
	}

}
