package inference.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;

import org.jspecify.annotations.Nullable;

import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

import inference.admission.Admissions;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;
import inference.protocol.InferenceRequest.Form;

/**
 * The way from a request's bytes to its answer's, around a model that returns its inputs
 * as its outputs, one for one.
 */
final class Wire {

	static final long LIMIT = 1024 * 1024;

	private static final Predictions predictions = new Predictions(
			new ModelProperties("m", "1", "none", 1, "cpu", List.of()));

	private Wire() {
	}

	/**
	 * What a client sends.
	 *
	 * @param jsonLength the header, or {@code null} for none
	 * @param encoding the header, or {@code null} for none
	 * @param known whether it says how long it is
	 */
	@SuppressWarnings("ArrayRecordComponent") // nobody compares them
	record Request(byte[] body, @Nullable String jsonLength, @Nullable String encoding, boolean known) {

		Request compressed() {
			ByteArrayOutputStream compressed = new ByteArrayOutputStream();
			try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
				gzip.write(this.body);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
			return new Request(compressed.toByteArray(), this.jsonLength, "gzip", this.known);
		}

		private MockHttpServletRequest toServlet() {
			boolean said = this.known;
			MockHttpServletRequest request = new MockHttpServletRequest() {
				@Override
				public long getContentLengthLong() {
					return said ? super.getContentLengthLong() : -1;
				}
			};
			request.setContent(this.body);
			if (this.encoding != null) {
				request.addHeader("Content-Encoding", this.encoding);
			}
			return request;
		}

	}

	/**
	 * What the client gets.
	 */
	@SuppressWarnings("ArrayRecordComponent") // nobody compares them
	record Response(int status, byte[] json, byte[] tail) {
	}

	static Response exchange(Signature signature, Request request) {
		return exchange(signature, request, LIMIT);
	}

	static Response exchange(Signature signature, Request request, long limit) {
		Answer answer;
		try {
			InferenceRequest read = new RequestReader(signature, EnumSet.allOf(Form.class))
				.read(RequestBody.of(request.toServlet(), limit, (_) -> {
				}, Admissions.threads()), request.jsonLength());
			answer = predictions.answer(read, identity(signature, read.inputs()));
		}
		catch (RuntimeException | Error ex) {
			answer = Failures.answer(ex);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return send(answer);
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

	private static Response send(Answer answer) {
		MockHttpServletResponse response = new MockHttpServletResponse();
		try {
			answer.send(new MockHttpServletRequest(), response);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		byte[] body = response.getContentAsByteArray();
		String header = response.getHeader("Inference-Header-Content-Length");
		int length = (header != null) ? Integer.parseInt(header) : body.length;
		return new Response(response.getStatus(), Arrays.copyOf(body, length),
				Arrays.copyOfRange(body, length, body.length));
	}

}
