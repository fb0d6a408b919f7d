package inference.grpc;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import com.google.protobuf.ByteString;
import openinference.Oip.InferTensorContents;
import openinference.Oip.ModelInferRequest;
import openinference.Oip.ModelInferRequest.InferInputTensor;
import openinference.Oip.ModelInferRequest.InferRequestedOutputTensor;
import openinference.Oip.ModelInferResponse;
import openinference.Oip.ModelInferResponse.InferOutputTensor;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import inference.codec.InferenceRequest;
import inference.codec.InferenceRequest.BodyFormat;
import inference.codec.RequestReader;
import inference.model.DataType;
import inference.model.Model;
import inference.model.Tensor;
import inference.web.Conformance;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The predictions in {@code conformance/*.yaml} give equal tensors over gRPC, typed and
 * raw.
 */
class GrpcConformanceTests {

	private static final GrpcServer server = GrpcServer.shared();

	@TestFactory
	Stream<DynamicTest> givesTheTensorsOfEveryCase() {
		List<Conformance> cases = Conformance.all()
			.values()
			.stream()
			.flatMap(List::stream)
			.filter(GrpcConformanceTests::isPrediction)
			.toList();
		assertThat(cases).flatExtracting((one) -> one.model().signature().inputs())
			.extracting((input) -> input.dataType())
			.contains(DataType.values());
		return cases.stream().map((one) -> DynamicTest.dynamicTest(one.title(), () -> ask(one)));
	}

	private static boolean isPrediction(Conformance one) {
		return one.status() == 200 && one.path().equals("/v2/models/m/infer")
				&& !one.headers().containsKey("Content-Encoding");
	}

	private static void ask(Conformance one) {
		Model model = one.model();
		RequestReader reader = new RequestReader(model.signature(), EnumSet.allOf(BodyFormat.class), (_) -> {
		});
		InferenceRequest http = reader.read(one.body(), one.headers().get(Conformance.JSON_LENGTH));
		server.server().swap(model);
		ModelInferRequest.Builder raw = request(http);
		http.inputs().values().forEach((tensor) -> raw.addRawInputContents(ByteString.copyFrom(tensor.contents())));
		assertTensors(server.infer(raw), http, model.infer(http.inputs()));
		if (http.inputs().values().stream().allMatch(GrpcConformanceTests::isText)) {
			ModelInferRequest.Builder typed = request(http);
			typed.getInputsBuilderList()
				.forEach((input) -> input
					.setContents(typed(Objects.requireNonNull(http.inputs().get(input.getName())))));
			assertTensors(server.infer(typed), http, model.infer(http.inputs()));
		}
	}

	private static ModelInferRequest.Builder request(InferenceRequest http) {
		ModelInferRequest.Builder request = ModelInferRequest.newBuilder().setModelName("m").setId("an id");
		http.outputs()
			.forEach((output) -> request.addOutputs(InferRequestedOutputTensor.newBuilder().setName(output.name())));
		http.inputs()
			.forEach((name,
					tensor) -> request.addInputs(InferInputTensor.newBuilder()
						.setName(name)
						.setDatatype(tensor.dataType().name())
						.addAllShape(LongStream.of(tensor.shape().dimensions()).boxed().toList())));
		return request;
	}

	private static void assertTensors(ModelInferResponse answer, InferenceRequest http, Map<String, Tensor> expected) {
		assertThat(answer.getModelName()).isEqualTo("m");
		assertThat(answer.getModelVersion()).isEqualTo("1");
		assertThat(answer.getId()).isEqualTo("an id");
		assertThat(answer.getOutputsList()).extracting(InferOutputTensor::getName)
			.containsExactlyElementsOf(http.outputs().stream().map((output) -> output.name()).toList());
		for (int i = 0; i < answer.getOutputsCount(); i++) {
			InferOutputTensor output = answer.getOutputs(i);
			Tensor tensor = Objects.requireNonNull(expected.get(output.getName()));
			assertThat(output.getDatatype()).isEqualTo(tensor.dataType().name());
			assertThat(output.getShapeList()).hasToString(tensor.shape().toString().replace(",", ", "));
			ByteBuffer contents = answer.getRawOutputContents(i).asReadOnlyByteBuffer();
			assertThat(contents.order(ByteOrder.LITTLE_ENDIAN)).isEqualTo(tensor.contents());
		}
	}

	private static boolean isText(Tensor tensor) {
		return tensor.dataType() != DataType.BYTES
				|| tensor.strings().stream().noneMatch((text) -> text.contains("\uFFFD"));
	}

	private static InferTensorContents typed(Tensor tensor) {
		InferTensorContents.Builder contents = InferTensorContents.newBuilder();
		ByteBuffer elements = tensor.contents();
		while (elements.hasRemaining()) {
			switch (tensor.dataType()) {
				case BOOL -> contents.addBoolContents(elements.get() != 0);
				case INT8 -> contents.addIntContents(elements.get());
				case INT16 -> contents.addIntContents(elements.getShort());
				case INT32 -> contents.addIntContents(elements.getInt());
				case INT64 -> contents.addInt64Contents(elements.getLong());
				case UINT8 -> contents.addUintContents(Byte.toUnsignedInt(elements.get()));
				case UINT16 -> contents.addUintContents(Short.toUnsignedInt(elements.getShort()));
				case UINT32 -> contents.addUintContents(elements.getInt());
				case UINT64 -> contents.addUint64Contents(elements.getLong());
				case FP16 -> contents.addFp32Contents(Float.float16ToFloat(elements.getShort()));
				case BF16 -> contents.addFp32Contents(Float.intBitsToFloat(elements.getShort() << Short.SIZE));
				case FP32 -> contents.addFp32Contents(elements.getFloat());
				case FP64 -> contents.addFp64Contents(elements.getDouble());
				case BYTES -> contents.addBytesContents(ByteString.copyFrom(elements, elements.getInt()));
			}
		}
		return contents.build();
	}

}
