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

import static java.nio.charset.StandardCharsets.UTF_8;

/**
 * The codecs around a model that returns its inputs as its outputs.
 */
final class Wire {

	private Wire() {
	}

	/**
	 * What a client gets.
	 *
	 * @param refusal the sentence, or {@code null} if the request was answered
	 */
	@SuppressWarnings("ArrayRecordComponent") // nobody compares them
	record Response(@Nullable String refusal, byte[] json, byte[] tail) {
	}

	static Response exchange(Signature signature, byte[] body, @Nullable String jsonLength) {
		try {
			InferenceRequest read = new RequestReader(signature, EnumSet.allOf(BodyFormat.class), (_) -> {
			}).read(body, jsonLength);
			InferenceResponse answer = new InferenceResponse("m", "1", read, identity(signature, read.inputs()));
			ByteArrayOutputStream written = new ByteArrayOutputStream();
			answer.writeTo(written);
			int length = answer.jsonLength();
			byte[] all = written.toByteArray();
			if (all.length != length + answer.binaryLength()) {
				throw new AssertionError("the lengths are wrong: " + new String(all, UTF_8));
			}
			return new Response(null, Arrays.copyOf(all, length), Arrays.copyOfRange(all, length, all.length));
		}
		catch (InvalidRequestException ex) {
			return new Response(String.valueOf(ex.getMessage()), new byte[0], new byte[0]);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
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
