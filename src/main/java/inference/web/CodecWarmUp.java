package inference.web;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.Map;
import java.util.function.UnaryOperator;

import org.springframework.stereotype.Component;

import inference.codec.InferenceRequest;
import inference.codec.InferenceRequest.Form;
import inference.codec.InferenceResponse;
import inference.codec.RequestReader;
import inference.lifecycle.WarmUpStep;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * Warms up the codecs together with the model: it reads the inputs as a client would send
 * them and discards the answer.
 */
@Component
final class CodecWarmUp implements WarmUpStep {

	// The repetitions in each run. Over all runs they make the JVM compile the code.
	private static final int REPETITIONS = 10;

	// Larger tensors are skipped: to encode and decode 48 million numbers takes minutes.
	private static final long MAX_BYTES = 1 << 20;

	private final ModelProperties model;

	CodecWarmUp(ModelProperties model) {
		this.model = model;
	}

	@Override
	public void run(Signature signature, Map<String, Tensor> inputs, UnaryOperator<Map<String, Tensor>> model)
			throws IOException {
		String json = isLarge(inputs) ? null : InferenceRequest.toJson(inputs);
		if (json == null) {
			return;
		}
		byte[] body = json.getBytes(StandardCharsets.UTF_8);
		Map<String, Tensor> outputs = model.apply(inputs);
		if (isLarge(outputs)) {
			return;
		}
		for (int i = 0; i < REPETITIONS; i++) {
			RequestReader reader = new RequestReader(signature, EnumSet.allOf(Form.class), (_) -> {
			});
			InferenceRequest request = reader.read(body, null);
			new InferenceResponse(this.model.name(), this.model.version(), request, outputs)
				.writeTo(OutputStream.nullOutputStream());
		}
	}

	private static boolean isLarge(Map<String, Tensor> tensors) {
		return Tensor.bytes(tensors.values()) > MAX_BYTES;
	}

}
