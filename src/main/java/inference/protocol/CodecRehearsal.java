package inference.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.Map;
import java.util.function.UnaryOperator;

import org.springframework.stereotype.Component;

import inference.admission.Admission;
import inference.lifecycle.Rehearsal;
import inference.model.DataType;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;
import inference.protocol.InferenceRequest.Form;

/**
 * Warms up the codecs and admission along with the model: writes its input as a client
 * would, in JSON where JSON can carry it and in binary, and takes it the way of a
 * request.
 */
@Component
final class CodecRehearsal implements Rehearsal {

	private final Admission admission;

	private final Predictions predictions;

	CodecRehearsal(Admission admission, ModelProperties model) {
		this.admission = admission;
		this.predictions = new Predictions(model);
	}

	@Override
	public void rehearse(Signature signature, Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model)
			throws IOException {
		RequestReader reader = new RequestReader(signature, EnumSet.allOf(Form.class));
		if (inputs.values().stream().allMatch(CodecRehearsal::fitsJson)) {
			Answer json = request(inputs, false);
			answer(reader.read(RequestBody.of(bytes(json)), null), model);
		}
		Answer binary = request(inputs, true);
		answer(reader.read(RequestBody.of(bytes(binary)), String.valueOf(binary.json().size())), model);
	}

	private void answer(InferenceRequest request, UnaryOperator<Map<String, Tensor>> model) {
		this.predictions.answer(request, this.admission.rehearse(request.inputs(), model));
	}

	private static boolean fitsJson(Tensor tensor) {
		return tensor.dataType() != DataType.FP16 && tensor.dataType() != DataType.BF16;
	}

	private static Answer request(Map<String, Tensor> inputs, boolean binary) {
		ArrayList<ByteBuffer> binaries = new ArrayList<>();
		return Answer.of(binaries, (json) -> {
			json.writeArrayPropertyStart("inputs");
			inputs.forEach((name, tensor) -> Predictions.oip(json, name, tensor, binary ? binaries : null));
			json.writeEndArray();
			json.writeObjectPropertyStart("parameters");
			json.writeBooleanProperty("binary_data_output", binary);
			json.writeEndObject();
		});
	}

	private static byte[] bytes(Answer request) throws IOException {
		ByteArrayOutputStream bytes = new ByteArrayOutputStream(Math.toIntExact(request.length()));
		request.json().writeTo(bytes);
		for (ByteBuffer binary : request.binaries()) {
			byte[] content = new byte[binary.remaining()];
			binary.duplicate().get(content);
			bytes.writeBytes(content);
		}
		return bytes.toByteArray();
	}

}
