package inference.model;

import java.util.HashMap;
import java.util.Map;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.SequenceInfo;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.ValueInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class OnnxFilesTests {

	private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

	@ParameterizedTest
	@EnumSource(names = { "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FLOAT16",
			"BFLOAT16", "FLOAT", "DOUBLE", "STRING" })
	void identityHasTheTypeAndShapeAskedFor(DataType type) throws OrtException {
		try (var session = session(OnnxFiles.identity(type, -1, 2, -1))) {
			var input = (TensorInfo) only(session.getInputInfo());
			var output = (TensorInfo) only(session.getOutputInfo());
			assertThat(input.onnxType.name()).endsWith("_" + type);
			assertThat(output.onnxType).isEqualTo(input.onnxType);
			assertThat(input.getShape()).containsExactly(-1, 2, -1);
			assertThat(output.getShape()).containsExactly(-1, 2, -1);
		}
	}

	@Test
	void twoInputsComeBackAsTheyWere() throws OrtException {
		var a = new long[] { 7, 8 };
		var b = new float[][][] { { { 1, 2, 3 }, { 4, 5, 6 } }, { { 7, 8, 9 }, { 10, 11, 12 } } };
		var outputs = run(OnnxFiles.twoInputs(), Map.of("a", a, "b", b));
		assertThat(outputs.get("same-a")).isEqualTo(a);
		assertThat(outputs.get("same-b")).isEqualTo(b);
	}

	@Test
	void sumAdds() throws OrtException {
		var outputs = run(OnnxFiles.sum(), Map.of("a", new float[] { 1, 2 }, "b", new float[] { 10, 20 }));
		assertThat(outputs.get("sum")).isEqualTo(new float[] { 11, 22 });
	}

	@Test
	void scalarHasNoBatchDimension() throws OrtException {
		assertThat(run(OnnxFiles.scalar(), Map.of("x", new float[] { 1, 2, 3 })).get("total")).isEqualTo(6f);
	}

	@Test
	void sequenceIsNoTensor() throws OrtException {
		try (var session = session(OnnxFiles.sequence())) {
			assertThat(only(session.getOutputInfo())).isInstanceOf(SequenceInfo.class);
		}
	}

	@Test
	void slowTakesItsStepsAndThenAnswers() throws OrtException {
		assertThat(run(OnnxFiles.slow(), Map.of("x", new float[] { -1, 2 }, "steps", 1000L)).get("y"))
			.isEqualTo(new float[] { 1, 2 });
	}

	private OrtSession session(byte[] model) throws OrtException {
		return this.environment.createSession(model);
	}

	private static ValueInfo only(Map<String, NodeInfo> nodes) {
		assertThat(nodes).hasSize(1);
		return nodes.values().iterator().next().getInfo();
	}

	private Map<String, Object> run(byte[] model, Map<String, Object> inputs) throws OrtException {
		Map<String, OnnxTensor> tensors = new HashMap<>();
		Map<String, Object> values = new HashMap<>();
		try (var session = session(model)) {
			for (var input : inputs.entrySet()) {
				tensors.put(input.getKey(), OnnxTensor.createTensor(this.environment, input.getValue()));
			}
			try (var outputs = session.run(tensors)) {
				for (var output : outputs) {
					values.put(output.getKey(), output.getValue().getValue());
				}
			}
		}
		finally {
			tensors.values().forEach(OnnxTensor::close);
		}
		return values;
	}

}
