package inference.grpc;

import java.io.IOException;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;

import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.UnsafeByteOperations;
import com.google.protobuf.WireFormat;
import openinference.Oip.InferParameter;
import openinference.Oip.InferTensorContents;
import openinference.Oip.ModelInferRequest;
import openinference.Oip.ModelInferRequest.InferInputTensor;
import openinference.Oip.ModelInferResponse;
import tools.jackson.core.json.JsonWriteFeature;
import tools.jackson.databind.json.JsonMapper;

import inference.admission.Reservation;
import inference.codec.InferenceRequest;
import inference.codec.InferenceRequest.BodyFormat;
import inference.codec.RequestReader;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.codec.InvalidRequestException.require;

/**
 * Converts between the messages of one prediction and tensors. A request is rewritten as
 * the body of an HTTP request, with typed contents as JSON and raw contents as binary
 * data, so that gRPC and HTTP share the checks, parameters and error messages.
 *
 * @param signature the inputs and outputs of the model
 * @param reservation the call's share of the memory budget
 */
record InferMessageConverter(Signature signature, Reservation reservation) {

	// Short texts, parameters and numbers become Java objects of up to 40 times their
	// size in the message.
	private static final int MAX_EXPANSION_FACTOR = 40;

	private static final JsonMapper JSON_MAPPER = JsonMapper.builder()
		.disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS)
		.build();

	/** The maximum memory of a message's objects, in bytes, not counting raw contents. */
	static long maxObjectBytes(byte[] message) throws IOException {
		CodedInputStream stream = CodedInputStream.newInstance(message);
		long bytesToParse = message.length;
		for (int tag = stream.readTag(); tag != 0; tag = stream.readTag()) {
			int fieldStart = stream.getTotalBytesRead();
			stream.skipField(tag);
			if (WireFormat.getTagFieldNumber(tag) == ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER) {
				bytesToParse -= stream.getTotalBytesRead() - fieldStart;
			}
		}
		return MAX_EXPANSION_FACTOR * bytesToParse;
	}

	InferenceRequest toInferenceRequest(ModelInferRequest request) {
		// An empty input or output takes 2 bytes in the message, but becomes a large map.
		// So a message with two or more surplus inputs or outputs is refused here.
		// A single one passes, because RequestReader refuses it with its name.
		require(request.getInputsCount() <= this.signature.inputs().size() + 1,
				"There are %d inputs; the model takes %s.", request.getInputsCount(), this.signature.inputs());
		require(request.getOutputsCount() <= this.signature.outputs().size() + 1,
				"There are %d outputs; the model has %s.", request.getOutputsCount(), this.signature.outputs());
		List<ByteString> rawContents = request.getRawInputContentsList();
		require(rawContents.isEmpty() || rawContents.size() == request.getInputsCount(),
				"There are %d raw_input_contents for %d inputs: send one for each input, or none.", rawContents.size(),
				request.getInputsCount());
		List<Map<String, Object>> inputObjects = new ArrayList<>();
		for (InferInputTensor input : request.getInputsList()) {
			require(rawContents.isEmpty() || !input.hasContents(),
					"Input '%s' has contents although there are raw_input_contents: send one of the two.",
					input.getName());
			Map<String, Object> parameters = parameters(input.getParametersMap());
			// The order is kept, because RequestReader must read "data" twice if it comes
			// before "datatype" or "shape".
			Map<String, Object> inputObject = new LinkedHashMap<>();
			inputObject.put("name", input.getName());
			inputObject.put("parameters", parameters);
			inputObject.put("datatype", input.getDatatype());
			inputObject.put("shape", input.getShapeList());
			if (!rawContents.isEmpty()) {
				parameters.put("binary_data_size", rawContents.get(inputObjects.size()).size());
			}
			else {
				inputObject.put("data", elements(input.getDatatype(), input.getContents()));
			}
			inputObjects.add(inputObject);
		}
		List<?> outputObjects = request.getOutputsList()
			.stream()
			.map((output) -> Map.of("name", output.getName(), "parameters", parameters(output.getParametersMap())))
			.toList();
		byte[] jsonBytes = JSON_MAPPER.writeValueAsBytes(Map.of("id", request.getId(), "inputs", inputObjects,
				"outputs", outputObjects, "parameters", parameters(request.getParametersMap())));
		int bodyLength = jsonBytes.length + rawContents.stream().mapToInt(ByteString::size).sum();
		this.reservation.add(bodyLength);
		ByteBuffer body = ByteBuffer.allocate(bodyLength).put(jsonBytes);
		rawContents.forEach((contents) -> body.put(contents.asReadOnlyByteBuffer()));
		return new RequestReader(this.signature, EnumSet.of(BodyFormat.OIP), this.reservation::add).read(body.array(),
				Integer.toString(jsonBytes.length));
	}

	/**
	 * Builds the answer. Outputs are sent as raw contents, because typed contents would
	 * be copied element by element.
	 */
	ModelInferResponse.Builder toResponse(InferenceRequest request, Map<String, Tensor> outputs) {
		ModelInferResponse.Builder response = ModelInferResponse.newBuilder()
			.setId(Objects.requireNonNullElse(request.id(), ""));
		for (TensorSpec output : request.outputs()) {
			Tensor tensor = Objects.requireNonNull(outputs.get(output.name()));
			// gRPC copies the contents when it sends the answer.
			this.reservation.add(tensor.contents().remaining());
			response.addRawOutputContents(UnsafeByteOperations.unsafeWrap(tensor.contents()))
				.addOutputsBuilder()
				.setName(output.name())
				.setDatatype(tensor.dataType().name())
				.addAllShape(dimensions(tensor.shape()));
		}
		return response;
	}

	static List<Long> dimensions(Shape shape) {
		return LongStream.of(shape.dimensions()).boxed().toList();
	}

	private static Map<String, Object> parameters(Map<String, InferParameter> messageParameters) {
		Map<String, Object> parameters = new HashMap<>();
		// Only one field of an InferParameter is set, and it holds the value.
		messageParameters.forEach(
				(name, parameter) -> parameter.getAllFields().values().forEach((value) -> parameters.put(name, value)));
		return parameters;
	}

	private static List<Object> elements(String dataType, InferTensorContents contents) {
		List<Object> elements = new ArrayList<>();
		contents.getAllFields().forEach((field, values) -> {
			for (Object value : (List<?>) values) {
				elements.add(switch (value) {
					case ByteString string -> {
						require(string.isValidUtf8(), "Typed BYTES must be UTF-8: send raw_input_contents.");
						yield string.toStringUtf8();
					}
					// An FP64 input needs all digits of the float. Only a double is
					// written with all of them.
					case Float number when dataType.equals("FP64") -> number.doubleValue();
					case Integer number when field.getType() == FieldDescriptor.Type.UINT32 ->
						Integer.toUnsignedLong(number);
					case Long number when field.getType() == FieldDescriptor.Type.UINT64 ->
						new BigInteger(Long.toUnsignedString(number));
					default -> value;
				});
			}
		});
		return elements;
	}

}
