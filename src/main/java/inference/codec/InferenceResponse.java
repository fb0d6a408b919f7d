package inference.codec;

import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import tools.jackson.core.JsonGenerator;
import tools.jackson.core.exc.JacksonIOException;

import inference.codec.InferenceRequest.BodyFormat;
import inference.model.InvalidOutputException;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * The answer to a prediction request, in the format of that request. The answer is
 * encoded while it is written, so no encoded copy is kept in memory. The constructor
 * checks that the outputs can be encoded, before the first byte is sent.
 */
public record InferenceResponse(String modelName, String modelVersion, InferenceRequest request,
		Map<String, Tensor> outputs) {

	/**
	 * Checks that the outputs can be encoded in the request's format.
	 * @throws InvalidRequestException if the format is ROWS and an output does not have
	 * one row per instance, because it is not batched or its rank is unknown
	 * @throws InvalidOutputException if the format is ROWS and a batched output does not
	 * have one row per instance, or if the format is OIP and an output that is sent as
	 * JSON has bytes that are not UTF-8
	 */
	public InferenceResponse {
		for (TensorSpec spec : request.outputs()) {
			requireEncodable(request, spec, Objects.requireNonNull(outputs.get(spec.name())));
		}
	}

	/**
	 * The number of bytes of the JSON, found by encoding it.
	 * @throws InvalidOutputException if the JSON is larger than 2 GiB
	 */
	public int jsonLength() {
		DataOutputStream counter = new DataOutputStream(OutputStream.nullOutputStream());
		writeJson(counter);
		if (counter.size() == Integer.MAX_VALUE) {
			throw new InvalidOutputException("the JSON is larger than 2 GiB: ask for every output as binary data");
		}
		return counter.size();
	}

	/** The number of bytes of the tensors behind the JSON. */
	public long binaryLength() {
		return Tensor.totalBytes(this.request.binaryOutputs().stream().map(this::tensor).toList());
	}

	/**
	 * Encodes the answer into a stream.
	 * @param target the stream, which stays open
	 * @throws IOException if the stream fails
	 */
	public void writeTo(OutputStream target) throws IOException {
		try {
			writeJson(target);
		}
		catch (JacksonIOException ex) {
			throw ex.getCause();
		}
		WritableByteChannel channel = Channels.newChannel(target);
		for (TensorSpec output : this.request.binaryOutputs()) {
			channel.write(tensor(output).contents());
		}
	}

	private static void requireEncodable(InferenceRequest request, TensorSpec spec, Tensor tensor) {
		Shape shape = tensor.shape();
		if (request.format() == BodyFormat.ROWS
				&& (shape.rank() == 0 || shape.dimension(0) != request.instanceCount())) {
			String problem = "output '%s' has shape %s, not a row for each of %d instances".formatted(spec.name(),
					shape, request.instanceCount());
			if (spec.shape().isBatchOfKnownRank()) {
				throw new InvalidOutputException(
						problem + ": if the model may drop rows, use \"inputs\" in place of \"instances\"");
			}
			throw new InvalidRequestException("Use \"inputs\" in place of \"instances\": %s.".formatted(problem));
		}
		if (request.format() == BodyFormat.OIP && !request.binaryOutputs().contains(spec)
				&& TensorWriter.hasNonUtf8Bytes(tensor)) {
			throw new InvalidOutputException(
					"output '%s' is not UTF-8 text, so JSON cannot carry it: ask for it as binary data"
						.formatted(spec.name()));
		}
	}

	private void writeJson(OutputStream target) {
		try (JsonGenerator generator = Json.generator(target)) {
			generator.writeStartObject();
			switch (this.request.format()) {
				case ROWS -> {
					List<TensorWriter> writers = writers();
					generator.writeArrayPropertyStart("predictions");
					for (long row = this.request.instanceCount(); row > 0; row--) {
						writeNested(generator, writers, 1);
					}
					generator.writeEndArray();
				}
				case COLUMNS -> {
					generator.writeName("outputs");
					writeNested(generator, writers(), 0);
				}
				case OIP -> writeOip(generator);
			}
			generator.writeEndObject();
		}
	}

	private void writeOip(JsonGenerator generator) {
		generator.writeStringProperty("model_name", this.modelName);
		generator.writeStringProperty("model_version", this.modelVersion);
		if (this.request.id() != null) {
			generator.writeStringProperty("id", this.request.id());
		}
		generator.writeArrayPropertyStart("outputs");
		for (TensorSpec output : this.request.outputs()) {
			TensorWriter.writeOip(generator, output.name(), tensor(output),
					this.request.binaryOutputs().contains(output));
		}
		generator.writeEndArray();
	}

	private void writeNested(JsonGenerator generator, List<TensorWriter> writers, int depth) {
		if (writers.size() == 1) {
			writers.getFirst().writeNested(generator, depth);
			return;
		}
		generator.writeStartObject();
		for (int i = 0; i < writers.size(); i++) {
			generator.writeName(this.request.outputs().get(i).name());
			writers.get(i).writeNested(generator, depth);
		}
		generator.writeEndObject();
	}

	private List<TensorWriter> writers() {
		boolean isRowFormat = this.request.format() == BodyFormat.ROWS;
		return this.request.outputs()
			.stream()
			.map((output) -> new TensorWriter(tensor(output), isRowFormat ? output.keys() : List.of()))
			.toList();
	}

	private Tensor tensor(TensorSpec output) {
		return Objects.requireNonNull(this.outputs.get(output.name()));
	}

}
