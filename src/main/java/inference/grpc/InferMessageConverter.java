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
import inference.codec.InferenceRequest.RequestedOutput;
import inference.codec.RequestReader;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;

import static inference.codec.InvalidRequestException.require;

/**
 * The conversion between the messages of one prediction and tensors. A request is
 * rewritten as the body of an HTTP request, with typed contents as JSON and raw contents
 * as binary data. So both protocols share the checks, parameters and error messages.
 *
 * @param signature the inputs and outputs of the model
 * @param reservation the call's share of the memory
 */
record InferMessageConverter(Signature signature, Reservation reservation) {

	// Short texts, parameters and numbers become objects of up to 40 times their size.
	private static final int MAX_EXPANSION = 40;

	private static final JsonMapper JSON = JsonMapper.builder().disable(JsonWriteFeature.WRITE_NAN_AS_STRINGS).build();

	/** The memory that the objects of a message take at most, in bytes. */
	static long expandedBytes(byte[] message) throws IOException {
		CodedInputStream fields = CodedInputStream.newInstance(message);
		long parsed = message.length;
		for (int tag = fields.readTag(); tag != 0; tag = fields.readTag()) {
			int start = fields.getTotalBytesRead();
			fields.skipField(tag);
			if (WireFormat.getTagFieldNumber(tag) == ModelInferRequest.RAW_INPUT_CONTENTS_FIELD_NUMBER) {
				parsed -= fields.getTotalBytesRead() - start;
			}
		}
		return MAX_EXPANSION * parsed;
	}

	InferenceRequest toInferenceRequest(ModelInferRequest request) {
		// Empty inputs and outputs become maps that are far larger than their message.
		require(request.getInputsCount() <= this.signature.inputs().size() + 1,
				"There are %d inputs; the model takes %s.", request.getInputsCount(), this.signature.inputs());
		require(request.getOutputsCount() <= this.signature.outputs().size() + 1,
				"There are %d outputs; the model has %s.", request.getOutputsCount(), this.signature.outputs());
		List<ByteString> raw = request.getRawInputContentsList();
		require(raw.isEmpty() || raw.size() == request.getInputsCount(),
				"There are %d raw_input_contents for %d inputs: send one for each input, or none.", raw.size(),
				request.getInputsCount());
		List<Map<String, Object>> inputs = new ArrayList<>();
		for (InferInputTensor input : request.getInputsList()) {
			Map<String, Object> parameters = parameters(input.getParametersMap());
			Map<String, Object> json = jsonObject(input.getName(), parameters);
			json.put("datatype", input.getDatatype());
			json.put("shape", input.getShapeList());
			if (!raw.isEmpty()) {
				parameters.put("binary_data_size", raw.get(inputs.size()).size());
			}
			if (raw.isEmpty() || input.hasContents()) {
				json.put("data", elements(input.getContents()));
			}
			inputs.add(json);
		}
		List<?> outputs = request.getOutputsList()
			.stream()
			.map((output) -> jsonObject(output.getName(), parameters(output.getParametersMap())))
			.toList();
		byte[] json = JSON.writeValueAsBytes(Map.of("id", request.getId(), "inputs", inputs, "outputs", outputs,
				"parameters", parameters(request.getParametersMap())));
		int length = json.length + raw.stream().mapToInt(ByteString::size).sum();
		this.reservation.add(length);
		ByteBuffer body = ByteBuffer.allocate(length).put(json);
		raw.forEach((tensor) -> body.put(tensor.asReadOnlyByteBuffer()));
		return new RequestReader(this.signature, EnumSet.of(BodyFormat.OIP), this.reservation::add).read(body.array(),
				Integer.toString(json.length));
	}

	/**
	 * Builds the answer. Its contents are raw, because typed ones would be copied element
	 * by element.
	 */
	ModelInferResponse.Builder toResponse(InferenceRequest request, Map<String, Tensor> outputs) {
		ModelInferResponse.Builder answer = ModelInferResponse.newBuilder()
			.setId(Objects.requireNonNullElse(request.id(), ""));
		for (RequestedOutput output : request.outputs()) {
			Tensor tensor = Objects.requireNonNull(outputs.get(output.spec().name()));
			// gRPC copies the contents.
			this.reservation.add(tensor.contents().remaining());
			answer.addRawOutputContents(UnsafeByteOperations.unsafeWrap(tensor.contents()))
				.addOutputsBuilder()
				.setName(output.spec().name())
				.setDatatype(tensor.dataType().name())
				.addAllShape(dimensions(tensor.shape()));
		}
		return answer;
	}

	/** The dimensions of a shape as a list, which messages need. */
	static List<Long> dimensions(Shape shape) {
		return LongStream.of(shape.dimensions()).boxed().toList();
	}

	private static Map<String, Object> jsonObject(String name, Map<String, Object> parameters) {
		// If the data type comes before the data, the data is read only once.
		Map<String, Object> object = new LinkedHashMap<>();
		object.put("name", name);
		object.put("parameters", parameters);
		return object;
	}

	private static Map<String, Object> parameters(Map<String, InferParameter> given) {
		Map<String, Object> parameters = new HashMap<>();
		// A parameter has one field, its value.
		given.forEach(
				(name, parameter) -> parameter.getAllFields().values().forEach((value) -> parameters.put(name, value)));
		return parameters;
	}

	private static List<Object> elements(InferTensorContents contents) {
		List<Object> elements = new ArrayList<>();
		contents.getAllFields().forEach((field, values) -> {
			for (Object value : (List<?>) values) {
				elements.add(switch (value) {
					case ByteString text -> {
						require(text.isValidUtf8(), "Typed BYTES must be UTF-8: send raw_input_contents.");
						yield text.toStringUtf8();
					}
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
