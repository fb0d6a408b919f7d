package inference.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.io.ClassPathResource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Model files as common exporters write them, with the answers that ONNX Runtime 1.29.0
 * gives in Python.
 */
class OnnxCasesTests {

	@TestFactory
	Stream<DynamicTest> answersWhatOnnxRuntimeAnswersInPython() throws IOException {
		JsonNode cases = JsonMapper.shared()
			.readTree(new ClassPathResource("models/cases/cases.json").getContentAsByteArray());
		return cases.valueStream()
			.map((caseNode) -> DynamicTest.dynamicTest(caseNode.required("model").asString(), () -> check(caseNode)));
	}

	@Test
	void servesAnInputAndAnOutputOfUnknownRank() {
		// The model multiplies by a matrix [4,3], so trial runs on other sizes fail.
		try (OnnxModel model = open("norank")) {
			assertThat(model.signature().inputs()).extracting(TensorSpec::shape).containsExactly(Shape.UNKNOWN_RANK);
			assertThat(model.signature().isBatchable()).isFalse();
			assertThat(model.infer(Map.of("x", Tensor.ofFloats(Shape.of(1, 2, 4), new float[8]))))
				.hasToString("{y=FP32 [1,2,3]}");
			Map<String, Tensor> outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(2, 4), new float[8])));
			assertThat(outputs).hasToString("{y=FP32 [2,3]}");
			model.signature().requireOutputs(outputs);
		}
	}

	@Test
	void doesNotBatchAModelThatDeclaresAnotherShape() {
		try (OnnxModel model = open("lgbm_nozip"); OnnxModel modelWithDeclaredShape = open("logreg_zipmap_int")) {
			assertThat(model.signature().isBatchable()).isFalse();
			assertThat(modelWithDeclaredShape.signature().isBatchable()).isTrue();
		}
	}

	private static void check(JsonNode caseNode) {
		try (OnnxModel model = open(caseNode.required("model").asString())) {
			Map<String, Tensor> expected = tensors(caseNode.required("outputs"));
			Map<String, Tensor> actual = model.infer(tensors(caseNode.required("inputs")));
			assertThat(actual.keySet()).isEqualTo(expected.keySet());
			assertThat(new Example(Map.of(), expected, 1e-6).difference(actual)).isNull();
			model.signature().requireOutputs(actual);
			for (Map.Entry<String, JsonNode> keys : caseNode.path("keys").properties()) {
				assertThat(model.signature().output(keys.getKey())).extracting(TensorSpec::keys)
					.isEqualTo(keys.getValue().valueStream().map(JsonNode::asString).toList());
			}
		}
	}

	static OnnxModel open(String name) {
		return OnnxFiles.open("classpath:models/cases/%s.onnx".formatted(name));
	}

	private static Map<String, Tensor> tensors(JsonNode tensors) {
		Map<String, Tensor> tensorsByName = new LinkedHashMap<>();
		tensors.properties().forEach((tensor) -> tensorsByName.put(tensor.getKey(), tensor(tensor.getValue())));
		return tensorsByName;
	}

	private static Tensor tensor(JsonNode tensor) {
		Shape shape = Shape.of(tensor.required("shape").valueStream().mapToLong(JsonNode::asLong).toArray());
		List<JsonNode> data = tensor.required("data").valueStream().toList();
		DataType dataType = DataType.valueOf(tensor.required("datatype").asString());
		if (dataType == DataType.BYTES) {
			return Tensor.ofStrings(shape, data.stream().map(JsonNode::asString).toList());
		}
		ByteBuffer contents = Tensor.allocate(data.size() * dataType.width());
		data.forEach((value) -> dataType.put(contents, value.numberValue()));
		return Tensor.of(dataType, shape, contents.flip());
	}

}
