package inference.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;
import inference.protocol.InferenceRequest.Form;

/**
 * Reads one request in a single pass. The members of an object may come in any order;
 * unknown ones are passed over, as the protocols want it.
 */
final class RequestReader {

	private static final byte[] B64 = "\"b64\"".getBytes(StandardCharsets.UTF_8);

	private final Signature signature;

	private final Set<Form> allowed;

	RequestReader(Signature signature, Set<Form> allowed) {
		this.signature = signature;
		this.allowed = allowed;
	}

	/**
	 * Reads a request.
	 * @param body JSON, and behind it the tensors that are sent as bytes
	 * @param jsonLength where the JSON ends, from the header
	 * {@code Inference-Header-Content-Length}; {@code null} if it is the whole body, 0 if
	 * there is none and the body is the only input's bytes
	 * @return the request
	 * @throws RequestException if the model cannot be run with it
	 */
	InferenceRequest read(RequestBody body, @Nullable String jsonLength) throws IOException {
		if (jsonLength == null) {
			return read(body.rest(), new Inputs(this.signature)).end(null);
		}
		int length = length(jsonLength);
		if (length == 0 && this.allowed.contains(Form.OIP)) {
			return raw(body);
		}
		return read(body.next(length), new Inputs(this.signature)).end(body);
	}

	private Inputs read(byte[] json, Inputs inputs) {
		if (json.length == 0) {
			throw RequestException.bad("The body is empty: send %s.".formatted(example()));
		}
		if (!Json.isUtf8(json)) {
			throw RequestException.bad("The body must be JSON in UTF-8.");
		}
		try (JsonParser parser = Json.parser(json, 0)) {
			if (parser.nextToken() != JsonToken.START_OBJECT) {
				throw RequestException.bad("The body must be a JSON object: send %s.".formatted(example()));
			}
			for (String member = Json.member(parser); member != null; member = Json.member(parser)) {
				switch (member) {
					case "instances" -> new RowsReader(this.signature, begin(inputs, Form.ROWS)).instances(parser);
					case "inputs" -> inputs(parser, json, inputs);
					case "outputs" -> new OipReader(this.signature, inputs, json).outputs(parser);
					case "parameters" -> inputs.parameters = Json.parameters(parser);
					case "id" -> inputs.id = Json.text(parser, "\"id\"");
					default -> parser.skipChildren();
				}
			}
			if (parser.nextToken() != null) {
				throw RequestException.bad("The body must end after the JSON object.");
			}
		}
		if (inputs.form == null) {
			throw RequestException.bad("The body has no tensors: send %s.".formatted(example()));
		}
		return inputs;
	}

	private void inputs(JsonParser parser, byte[] json, Inputs inputs) {
		if (isOip(parser, json)) {
			new OipReader(this.signature, begin(inputs, Form.OIP), json).inputs(parser);
		}
		else {
			new RowsReader(this.signature, begin(inputs, Form.COLUMNS)).columns(parser);
		}
	}

	// The two forms that are called "inputs" differ no sooner than at their first
	// element.
	private boolean isOip(JsonParser parser, byte[] json) {
		if (!this.allowed.contains(Form.COLUMNS) || !this.allowed.contains(Form.OIP)) {
			return this.allowed.contains(Form.OIP);
		}
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			return false;
		}
		int first = Json.skipSpace(json, Json.offset(parser) + 1);
		if (first == json.length || json[first] != '{') {
			return false;
		}
		int name = Json.skipSpace(json, first + 1);
		return !Arrays.equals(json, name, Math.min(name + B64.length, json.length), B64, 0, B64.length);
	}

	private Inputs begin(Inputs inputs, Form form) {
		if (inputs.form != null) {
			throw RequestException.bad("The body has tensors twice: send \"instances\" or \"inputs\", once.");
		}
		if (!this.allowed.contains(form)) {
			throw RequestException.bad("This path takes another form: send %s.".formatted(example()));
		}
		inputs.form = form;
		return inputs;
	}

	// Triton's raw request: the shape is not sent, so at most one dimension may be open
	// besides the batch, which then is 1.
	private InferenceRequest raw(RequestBody body) throws IOException {
		TensorSpec spec = this.signature.inputs().getFirst();
		if (this.signature.inputs().size() != 1) {
			throw RequestException.bad("A body without JSON needs a model with one input; this one takes %s."
				.formatted(this.signature.inputs()));
		}
		Inputs inputs = new Inputs(this.signature);
		inputs.form = Form.OIP;
		inputs.binaryByDefault = true;
		byte[] bytes = body.rest();
		if (spec.dataType() == DataType.BYTES) {
			ByteBuffer one = Json.buffer(Integer.BYTES + bytes.length).putInt(bytes.length).put(bytes).flip();
			inputs.add(spec, Json.tensor(spec, rawShape(spec, 1), one));
		}
		else if (bytes.length % spec.dataType().width() != 0) {
			throw RequestException.bad("Input '%s' is %s; %d bytes are no whole number of elements."
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
				throw RequestException.bad("Input '%s' has shape %s, which a body without JSON does not determine."
					.formatted(spec.name(), spec.shape()));
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
		throw RequestException.bad("Inference-Header-Content-Length must be the length of the JSON in bytes, not '%s'."
			.formatted(RequestException.excerpt(header)));
	}

	private String example() {
		return this.allowed.contains(Form.ROWS) ? "{\"instances\":[…]}"
				: "{\"inputs\":[{\"name\":…,\"shape\":[…],\"datatype\":…,\"data\":[…]}]}";
	}

}
