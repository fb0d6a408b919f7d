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
 * The codecs around a model that returns its inputs as its outputs.
 */
final class Wire {

	private Wire() {
	}

	/** What a client gets. */
	@SuppressWarnings("ArrayRecordComponent") // nobody compares them
	record Response(byte[] json, byte[] tail) {
	}

	static Response exchange(Signature signature, byte[] body, @Nullable String jsonLength) {
		InferenceRequest read = new RequestReader(signature, EnumSet.allOf(BodyFormat.class), (_) -> {
		}).read(body, jsonLength);
		InferenceResponse answer = new InferenceResponse("m", "1", read, identity(signature, read.inputs()));
		ByteArrayOutputStream written = new ByteArrayOutputStream();
		try {
			answer.writeTo(written);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		int length = answer.jsonLength();
		byte[] all = written.toByteArray();
		assertThat(all).hasSize((int) (length + answer.binaryLength()));
		return new Response(Arrays.copyOf(all, length), Arrays.copyOfRange(all, length, all.length));
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
