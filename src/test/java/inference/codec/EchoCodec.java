package inference.codec;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import inference.codec.InferenceRequest.BodyFormat;
import inference.model.Signature;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Runs requests through the codecs and a model that returns its inputs as its outputs.
 */
final class EchoCodec {

	private EchoCodec() {
	}

	/** The answer that a client gets: JSON, and the bytes behind the JSON. */
	@SuppressWarnings("ArrayRecordComponent") // nobody compares answers
	record Response(byte[] json, byte[] tail) {
	}

	static Response exchange(Signature signature, byte[] body, @Nullable String jsonLength) {
		InferenceRequest request = new RequestReader(signature, EnumSet.allOf(BodyFormat.class), (_) -> {
		}).read(body, jsonLength);
		InferenceResponse answer = new InferenceResponse("m", "1", request, identity(signature, request.inputs()));
		ByteArrayOutputStream stream = new ByteArrayOutputStream();
		try {
			answer.writeTo(stream);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		int length = answer.jsonLength();
		byte[] bytes = stream.toByteArray();
		assertThat(bytes).hasSize((int) (length + answer.binaryLength()));
		return new Response(Arrays.copyOf(bytes, length), Arrays.copyOfRange(bytes, length, bytes.length));
	}

	private static Map<String, Tensor> identity(Signature signature, Map<String, Tensor> inputs) {
		Map<String, Tensor> outputs = new LinkedHashMap<>();
		for (int i = 0; i < signature.inputs().size(); i++) {
			Tensor input = inputs.get(signature.inputs().get(i).name());
			if (input == null || inputs.size() != signature.inputs().size()) {
				throw new IllegalStateException("not exactly the signature's inputs");
			}
			outputs.put(signature.outputs().get(i).name(), input);
		}
		signature.requireOutputs(outputs);
		return outputs;
	}

}
