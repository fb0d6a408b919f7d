package inference.protocol;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Reads one JSON request in a single pass, its tensors straight into their buffers. The
 * members of an object may come in any order.
 */
final class RequestReader {

	private static final Set<String> OIP_INPUT = Set.of("name", "shape", "datatype", "parameters", "data");

	private final byte[] body;

	private final Signature signature;

	private final Set<Form> allowed;

	private final Map<String, Tensor> inputs = new LinkedHashMap<>();

	private final List<TensorSpec> outputs = new ArrayList<>();

	private @Nullable Form form;

	private @Nullable String id;

	private RequestReader(byte[] body, Signature signature, Set<Form> allowed) {
		this.body = body;
		this.signature = signature;
		this.allowed = allowed;
	}

	/**
	 * Reads a request.
	 * @param body one JSON object
	 * @param signature what the model takes
	 * @param allowed the forms that may be used where the request was sent
	 * @return the request
	 * @throws RequestException if the model cannot be run with it
	 */
	static InferenceRequest read(byte[] body, Signature signature, Set<Form> allowed) {
		if (body.length == 0) {
			throw RequestException.bad("The body is empty: send %s.".formatted(example(allowed)));
		}
		RequestReader reader = new RequestReader(body, signature, EnumSet.copyOf(allowed));
		try (JsonParser parser = Json.parser(body, 0)) {
			return reader.read(parser);
		}
	}

	private InferenceRequest read(JsonParser parser) {
		if (parser.nextToken() != JsonToken.START_OBJECT) {
			throw RequestException.bad("The body must be a JSON object: send %s.".formatted(example(this.allowed)));
		}
		String member = parser.nextName();
		while (member != null) {
			JsonToken value = parser.nextToken();
			switch (member) {
				case "instances" -> rows(parser);
				case "inputs" -> inputs(parser);
				case "outputs" -> requestedOutputs(parser);
				case "id" -> this.id = text(parser, "\"id\"");
				default -> {
					if (value.isStructStart()) {
						parser.skipChildren();
					}
				}
			}
			member = parser.nextName();
		}
		if (parser.nextToken() != null) {
			throw RequestException.bad("The body must end after the JSON object.");
		}
		if (this.form == null) {
			throw RequestException.bad("The body has no tensors: send %s.".formatted(example(this.allowed)));
		}
		for (TensorSpec spec : this.signature.inputs()) {
			if (!this.inputs.containsKey(spec.name())) {
				throw RequestException
					.bad("Input '%s' is missing; the model takes %s.".formatted(spec.name(), this.signature.inputs()));
			}
		}
		List<TensorSpec> wanted = this.outputs.isEmpty() ? this.signature.outputs() : List.copyOf(this.outputs);
		return new InferenceRequest(this.form, this.id, this.inputs, wanted);
	}

	private void rows(JsonParser parser) {
		begin(Form.ROWS);
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw RequestException.bad("\"instances\" must be an array with one element per row.");
		}
		Map<String, TensorReader> readers = new LinkedHashMap<>();
		for (TensorSpec spec : this.signature.inputs()) {
			if (spec.shape().rank() == 0) {
				throw RequestException
					.bad("Input '%s' is a scalar and has no rows: use \"inputs\" in place of \"instances\"."
						.formatted(spec.name()));
			}
			readers.put(spec.name(), new TensorReader(spec));
		}
		int count = 0;
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			row(parser, readers, count++);
		}
		for (Map.Entry<String, TensorReader> reader : readers.entrySet()) {
			reader.getValue().close(0, count);
			this.inputs.put(reader.getKey(), reader.getValue().toTensor());
		}
	}

	private void row(JsonParser parser, Map<String, TensorReader> readers, int index) {
		TensorSpec only = (readers.size() == 1) ? this.signature.inputs().getFirst() : null;
		String member = (parser.currentToken() == JsonToken.START_OBJECT) ? parser.nextName() : null;
		boolean base64 = only != null && only.dataType() == DataType.BYTES && "b64".equals(member)
				&& !only.name().equals("b64");
		if (member == null || base64) {
			if (only == null || parser.currentToken() == JsonToken.END_OBJECT) {
				throw RequestException
					.bad("Instance %d must be an object with %s.".formatted(index, this.signature.inputs()));
			}
			readers.values().iterator().next().read(parser, 1);
			return;
		}
		Set<String> missing = new LinkedHashSet<>(readers.keySet());
		while (member != null) {
			TensorReader reader = readers.get(member);
			if (reader == null) {
				throw unknownInput(member);
			}
			if (!missing.remove(member)) {
				throw RequestException.bad("Instance %d has input '%s' twice.".formatted(index, member));
			}
			parser.nextToken();
			reader.read(parser, 1);
			member = parser.nextName();
		}
		if (!missing.isEmpty()) {
			throw RequestException.bad("Instance %d lacks input '%s'.".formatted(index, missing.iterator().next()));
		}
	}

	private void inputs(JsonParser parser) {
		switch (parser.currentToken()) {
			case START_ARRAY -> {
				if (isOip(parser)) {
					begin(Form.OIP);
					while (parser.nextToken() != JsonToken.END_ARRAY) {
						oipInput(parser);
					}
				}
				else {
					onlyColumn(parser);
				}
			}
			case START_OBJECT -> columns(parser);
			default -> onlyColumn(parser);
		}
	}

	// The two forms that are called "inputs" differ no sooner than at their first
	// element.
	private boolean isOip(JsonParser parser) {
		if (!this.allowed.contains(Form.COLUMNS)) {
			return true;
		}
		if (!this.allowed.contains(Form.OIP)) {
			return false;
		}
		int offset = Math.toIntExact(parser.currentTokenLocation().getByteOffset());
		try (JsonParser ahead = Json.parser(this.body, offset)) {
			ahead.nextToken();
			return ahead.nextToken() == JsonToken.START_OBJECT && OIP_INPUT.contains(String.valueOf(ahead.nextName()));
		}
	}

	private void columns(JsonParser parser) {
		begin(Form.COLUMNS);
		String member = parser.nextName();
		while (member != null) {
			TensorSpec spec = spec(member);
			parser.nextToken();
			TensorReader reader = new TensorReader(spec);
			reader.read(parser, 0);
			add(spec, reader.toTensor());
			member = parser.nextName();
		}
	}

	private void onlyColumn(JsonParser parser) {
		begin(Form.COLUMNS);
		if (this.signature.inputs().size() != 1) {
			throw RequestException.bad("\"inputs\" must be an object with %s.".formatted(this.signature.inputs()));
		}
		TensorSpec spec = this.signature.inputs().getFirst();
		TensorReader reader = new TensorReader(spec);
		reader.read(parser, 0);
		add(spec, reader.toTensor());
	}

	private void oipInput(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_OBJECT) {
			throw RequestException.bad("Each of \"inputs\" must be an object with name, shape, datatype and data.");
		}
		OipInput input = new OipInput();
		String member = parser.nextName();
		while (member != null) {
			JsonToken value = parser.nextToken();
			switch (member) {
				case "name" -> input.name = text(parser, "an input's \"name\"");
				case "datatype" -> input.dataType = text(parser, "an input's \"datatype\"");
				case "shape" -> input.shape = shape(parser);
				case "data" -> {
					if (input.isDescribed()) {
						add(input, parser);
					}
					else {
						input.data = Math.toIntExact(parser.currentTokenLocation().getByteOffset());
						parser.skipChildren();
					}
				}
				default -> {
					if (value.isStructStart()) {
						parser.skipChildren();
					}
				}
			}
			member = parser.nextName();
		}
		if (input.read) {
			return;
		}
		if (!input.isDescribed() || input.data < 0) {
			throw RequestException.bad("Input '%s' must have name, shape, datatype and data."
				.formatted(RequestException.excerpt(String.valueOf(input.name))));
		}
		try (JsonParser data = Json.parser(this.body, input.data)) {
			data.nextToken();
			add(input, data);
		}
	}

	private void add(OipInput input, JsonParser data) {
		TensorSpec spec = spec(String.valueOf(input.name));
		if (!spec.dataType().name().equals(input.dataType)) {
			throw RequestException.bad("Input '%s' is %s, not %s.".formatted(spec.name(), spec.dataType(),
					RequestException.excerpt(String.valueOf(input.dataType))));
		}
		Shape shape = input.shape;
		if (shape == null || !spec.shape().accepts(shape)) {
			throw RequestException
				.bad("Input '%s' must have shape %s, not %s.".formatted(spec.name(), spec.shape(), shape));
		}
		if (data.currentToken() != JsonToken.START_ARRAY) {
			throw RequestException.bad("Input '%s' must have an array as \"data\".".formatted(spec.name()));
		}
		TensorReader reader = new TensorReader(spec);
		reader.read(data, 0);
		add(spec, reader.toTensor(shape));
		input.read = true;
	}

	private void requestedOutputs(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw RequestException.bad("\"outputs\" must be an array of objects with a name.");
		}
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			if (parser.currentToken() != JsonToken.START_OBJECT) {
				throw RequestException.bad("\"outputs\" must be an array of objects with a name.");
			}
			String name = null;
			String member = parser.nextName();
			while (member != null) {
				parser.nextToken();
				if (member.equals("name")) {
					name = text(parser, "an output's \"name\"");
				}
				else {
					parser.skipChildren();
				}
				member = parser.nextName();
			}
			TensorSpec spec = this.signature.output(String.valueOf(name));
			if (spec == null) {
				throw RequestException.bad("There is no output '%s'; the model gives %s."
					.formatted(RequestException.excerpt(String.valueOf(name)), this.signature.outputs()));
			}
			this.outputs.add(spec);
		}
	}

	private void begin(Form found) {
		if (this.form != null) {
			throw RequestException.bad("The body has tensors twice: send \"instances\" or \"inputs\", once.");
		}
		if (!this.allowed.contains(found)) {
			throw RequestException.bad("This path takes another form: send %s.".formatted(example(this.allowed)));
		}
		this.form = found;
	}

	private void add(TensorSpec spec, Tensor tensor) {
		if (this.inputs.put(spec.name(), tensor) != null) {
			throw RequestException.bad("Input '%s' comes twice.".formatted(spec.name()));
		}
	}

	private TensorSpec spec(String name) {
		TensorSpec spec = this.signature.input(name);
		if (spec == null) {
			throw unknownInput(name);
		}
		return spec;
	}

	private RequestException unknownInput(String name) {
		return RequestException.bad("There is no input '%s'; the model takes %s."
			.formatted(RequestException.excerpt(name), this.signature.inputs()));
	}

	private static String text(JsonParser parser, String what) {
		if (parser.currentToken() != JsonToken.VALUE_STRING) {
			throw RequestException.bad("%s must be a string.".formatted(what));
		}
		return parser.getString();
	}

	private static Shape shape(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw RequestException.bad("An input's \"shape\" must be an array.");
		}
		List<Long> dimensions = new ArrayList<>();
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT || dimensions.size() > 64
					|| parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER || parser.getLongValue() < 0) {
				throw RequestException.bad("An input's \"shape\" must be a few integers, 0 or more.");
			}
			dimensions.add(parser.getLongValue());
		}
		return Shape.of(dimensions.stream().mapToLong(Long::longValue).toArray());
	}

	private static String example(Set<Form> allowed) {
		return allowed.contains(Form.ROWS) ? "{\"instances\":[…]}"
				: "{\"inputs\":[{\"name\":…,\"shape\":[…],\"datatype\":…,\"data\":[…]}]}";
	}

	private static final class OipInput {

		private @Nullable String name;

		private @Nullable String dataType;

		private @Nullable Shape shape;

		private int data = -1;

		private boolean read;

		private boolean isDescribed() {
			return this.name != null && this.dataType != null && this.shape != null;
		}

	}

}
