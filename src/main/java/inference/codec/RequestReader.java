package inference.codec;

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;
import inference.codec.InferenceRequest.Form;

/**
 * Reads one request in a single pass. The members of an object may come in any order.
 * Unknown members are skipped, as the protocols demand.
 */
public final class RequestReader {

	private final Signature signature;

	private final Set<Form> allowed;

	private final LongConsumer memory;

	/**
	 * A reader for one request.
	 * @param signature the model's signature
	 * @param allowed the forms that the request's path takes
	 * @param memory is told how many bytes are about to be allocated for tensors, or by a
	 * negative number how many have been freed; it may refuse by an exception
	 */
	public RequestReader(Signature signature, Set<Form> allowed, LongConsumer memory) {
		this.signature = signature;
		this.allowed = allowed;
		this.memory = memory;
	}

	/**
	 * Reads a request.
	 * @param body JSON, and behind it the tensors that are sent as bytes
	 * @param jsonLength the value of the header {@code Inference-Header-Content-Length};
	 * {@code null} if the whole body is JSON, 0 if the body is the only input's bytes
	 * @return the request, whose binary tensors are views of the body
	 * @throws InvalidRequestException if the model cannot be run with it
	 */
	public InferenceRequest read(byte[] body, @Nullable String jsonLength) {
		int length = (jsonLength != null) ? length(jsonLength) : body.length;
		if (jsonLength != null && length == 0 && this.allowed.contains(Form.OIP)) {
			return raw(body);
		}
		if (length > body.length) {
			throw new InvalidRequestException(
					"The body ends before the %d bytes that its headers and binary_data_size promise."
						.formatted(length));
		}
		Inputs inputs = new Inputs(this.signature);
		readJson(body, length, inputs);
		return inputs.end((jsonLength != null) ? ByteBuffer.wrap(body, length, body.length - length) : null);
	}

	private void readJson(byte[] body, int end, Inputs inputs) {
		if (end == 0) {
			throw new InvalidRequestException("The body is empty: send %s.".formatted(example()));
		}
		if (!Json.isUtf8(body)) {
			throw new InvalidRequestException("The body must be JSON in UTF-8.");
		}
		RowsReader rows = new RowsReader(this.signature, inputs, this.memory);
		OipReader oip = new OipReader(this.signature, inputs, body, end, this.memory);
		try (JsonParser parser = Json.parser(body, 0, end)) {
			if (parser.nextToken() != JsonToken.START_OBJECT) {
				throw new InvalidRequestException("The body must be a JSON object: send %s.".formatted(example()));
			}
			for (String member = Json.nextMember(parser); member != null; member = Json.nextMember(parser)) {
				switch (member) {
					case "instances" -> {
						begin(inputs, Form.ROWS);
						rows.instances(parser);
					}
					case "inputs" -> readInputs(parser, inputs, rows, oip);
					case "outputs" -> oip.outputs(parser);
					case "parameters" -> inputs.parameters = Json.parameters(parser);
					case "id" -> inputs.id = Json.text(parser, "\"id\"");
					default -> parser.skipChildren();
				}
			}
			if (parser.nextToken() != null) {
				throw new InvalidRequestException("The body must end after the JSON object.");
			}
		}
		if (inputs.form == null) {
			throw new InvalidRequestException("The body has no tensors: send %s.".formatted(example()));
		}
	}

	// The two forms that are called "inputs" differ at their first element only: an
	// object, unless it is Base64, means the Open Inference Protocol.
	private void readInputs(JsonParser parser, Inputs inputs, RowsReader rows, OipReader oip) {
		boolean both = this.allowed.contains(Form.COLUMNS) && this.allowed.contains(Form.OIP);
		if (!both && this.allowed.contains(Form.OIP)) {
			begin(inputs, Form.OIP);
			oip.inputs(parser);
		}
		else if (!both || parser.currentToken() != JsonToken.START_ARRAY) {
			begin(inputs, Form.COLUMNS);
			rows.columns(parser);
		}
		else if (parser.nextToken() == JsonToken.START_OBJECT && !"b64".equals(parser.nextName())) {
			begin(inputs, Form.OIP);
			oip.inputsRest(parser);
		}
		else {
			begin(inputs, Form.COLUMNS);
			rows.onlyColumn(parser);
		}
	}

	private void begin(Inputs inputs, Form form) {
		if (inputs.form != null) {
			throw new InvalidRequestException("The body has tensors twice: send \"instances\" or \"inputs\", once.");
		}
		if (!this.allowed.contains(form)) {
			throw new InvalidRequestException("This path takes another form: send %s.".formatted(example()));
		}
		inputs.form = form;
	}

	// Triton's raw request. The shape is not sent, so at most one dimension may be open
	// besides the batch, which then is 1.
	private InferenceRequest raw(byte[] bytes) {
		TensorSpec spec = this.signature.inputs().getFirst();
		if (this.signature.inputs().size() != 1) {
			throw new InvalidRequestException("A body without JSON needs a model with one input; this one takes %s."
				.formatted(this.signature.inputs()));
		}
		Inputs inputs = new Inputs(this.signature);
		inputs.form = Form.OIP;
		inputs.binaryByDefault = true;
		if (spec.dataType() == DataType.BYTES) {
			int size = Integer.BYTES + bytes.length;
			this.memory.accept(size);
			ByteBuffer one = Json.buffer(size).putInt(bytes.length).put(bytes).flip();
			inputs.add(spec, Json.tensor(spec, rawShape(spec, 1), one));
		}
		else if (bytes.length % spec.dataType().width() != 0) {
			throw new InvalidRequestException("Input '%s' is %s; %d bytes are no whole number of elements."
				.formatted(spec.name(), spec.dataType(), bytes.length));
		}
		else {
			Shape shape = rawShape(spec, bytes.length / spec.dataType().width());
			inputs.add(spec, Json.tensor(spec, shape, ByteBuffer.wrap(bytes)));
		}
		return inputs.end(null);
	}

	private static Shape rawShape(TensorSpec spec, long elements) {
		long[] shape = spec.shape().dimensions();
		int open = -1;
		long known = 1;
		for (int i = shape.length - 1; i >= 0; i--) {
			if (shape[i] != Shape.VARIABLE) {
				known *= shape[i];
			}
			else if (open < 0) {
				open = i;
			}
			else if (i == 0) {
				shape[i] = 1;
			}
			else {
				throw new InvalidRequestException(
						"Input '%s' has shape %s, which a body without JSON does not determine.".formatted(spec.name(),
								spec.shape()));
			}
		}
		if (open >= 0) {
			shape[open] = (known > 0) ? elements / known : 0;
		}
		return Shape.of(shape);
	}

	private static int length(String header) {
		try {
			int length = Integer.parseInt(header.strip());
			if (length >= 0) {
				return length;
			}
		}
		catch (NumberFormatException ex) {
			// Refused below, like a negative number.
		}
		throw new InvalidRequestException(
				"Inference-Header-Content-Length must be the length of the JSON in bytes, not '%s'."
					.formatted(InvalidRequestException.excerpt(header)));
	}

	private String example() {
		return this.allowed.contains(Form.ROWS) ? "{\"instances\":[…]}"
				: "{\"inputs\":[{\"name\":…,\"shape\":[…],\"datatype\":…,\"data\":[…]}]}";
	}

}
