package inference.codec;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;

import tools.jackson.core.JsonGenerator;

import inference.codec.InferenceRequest.Form;
import inference.codec.InferenceRequest.Output;
import inference.model.Tensor;

/**
 * The answer to a prediction, in the form of its request. It is encoded while it is
 * written, so it takes no memory besides its tensors. Whatever could fail is checked
 * before the first byte.
 */
public final class InferenceResponse {

	private final String model;

	private final String version;

	private final InferenceRequest request;

	private final Map<String, Tensor> outputs;

	/**
	 * An answer.
	 * @param model the model's name
	 * @param version the model's version
	 * @param request the request
	 * @param outputs the model's outputs
	 * @throws InvalidRequestException if the outputs cannot be written in the request's
	 * form
	 */
	public InferenceResponse(String model, String version, InferenceRequest request, Map<String, Tensor> outputs) {
		this.model = model;
		this.version = version;
		this.request = request;
		this.outputs = outputs;
		for (Output output : request.outputs()) {
			if (!output.binary()) {
				TensorWriter.requireJson(output.spec().name(), tensor(output), request.form() != Form.OIP);
			}
		}
		if (request.form() == Form.ROWS) {
			requireRows();
		}
	}

	/**
	 * Whether tensors are sent as bytes behind the JSON.
	 * @return {@code true} if at least one is
	 */
	public boolean isBinary() {
		return this.request.outputs().stream().anyMatch(Output::binary);
	}

	/**
	 * The length of the JSON, found by encoding it.
	 * @return the number of bytes
	 */
	public long jsonLength() {
		CountingStream count = new CountingStream();
		writeJson(count);
		return count.bytes;
	}

	/**
	 * The length of the tensors behind the JSON.
	 * @return the number of bytes
	 */
	public long binaryLength() {
		return this.request.outputs()
			.stream()
			.filter(Output::binary)
			.mapToLong((output) -> tensor(output).contents().remaining())
			.sum();
	}

	/**
	 * Encodes the answer into a stream.
	 * @param target where to write, which stays open
	 * @throws IOException if the stream fails
	 */
	public void writeTo(OutputStream target) throws IOException {
		writeJson(target);
		WritableByteChannel channel = Channels.newChannel(target);
		for (Output output : this.request.outputs()) {
			if (output.binary()) {
				channel.write(tensor(output).contents());
			}
		}
	}

	private void writeJson(OutputStream target) {
		try (JsonGenerator json = Json.generator(target)) {
			json.writeStartObject();
			switch (this.request.form()) {
				case ROWS -> rows(json);
				case COLUMNS -> columns(json);
				case OIP -> oip(json);
			}
			json.writeEndObject();
		}
	}

	private void oip(JsonGenerator json) {
		json.writeStringProperty("model_name", this.model);
		json.writeStringProperty("model_version", this.version);
		if (this.request.id() != null) {
			json.writeStringProperty("id", this.request.id());
		}
		json.writeArrayPropertyStart("outputs");
		for (Output output : this.request.outputs()) {
			OipTensor.write(json, output.spec().name(), tensor(output), output.binary());
		}
		json.writeEndArray();
	}

	private void requireRows() {
		long rows = rows(this.request.outputs().getFirst());
		for (Output output : this.request.outputs()) {
			if (rows(output) < 0 || rows(output) != rows) {
				throw new InvalidRequestException(
						"Not every output of the model has one row per instance: use \"inputs\" in place of \"instances\".");
			}
		}
	}

	private long rows(Output output) {
		Tensor tensor = tensor(output);
		return (tensor.shape().rank() > 0) ? tensor.shape().dimension(0) : -1;
	}

	private void rows(JsonGenerator json) {
		List<Output> wanted = this.request.outputs();
		List<TensorWriter> writers = wanted.stream().map((output) -> new TensorWriter(tensor(output))).toList();
		long count = rows(wanted.getFirst());
		json.writeArrayPropertyStart("predictions");
		for (long row = 0; row < count; row++) {
			if (writers.size() == 1) {
				writers.getFirst().nested(json, 1);
				continue;
			}
			json.writeStartObject();
			for (int i = 0; i < writers.size(); i++) {
				json.writeName(wanted.get(i).spec().name());
				writers.get(i).nested(json, 1);
			}
			json.writeEndObject();
		}
		json.writeEndArray();
	}

	private void columns(JsonGenerator json) {
		json.writeName("outputs");
		boolean named = this.request.outputs().size() > 1;
		if (named) {
			json.writeStartObject();
		}
		for (Output output : this.request.outputs()) {
			if (named) {
				json.writeName(output.spec().name());
			}
			new TensorWriter(tensor(output)).nested(json, 0);
		}
		if (named) {
			json.writeEndObject();
		}
	}

	private Tensor tensor(Output output) {
		Tensor tensor = this.outputs.get(output.spec().name());
		if (tensor == null) {
			throw new IllegalStateException("the model did not return output '%s'".formatted(output.spec().name()));
		}
		return tensor;
	}

	/**
	 * A stream that only counts.
	 */
	private static final class CountingStream extends OutputStream {

		private long bytes;

		@Override
		public void write(int one) {
			this.bytes++;
		}

		@Override
		public void write(byte[] source, int offset, int count) {
			this.bytes += count;
		}

	}

}
