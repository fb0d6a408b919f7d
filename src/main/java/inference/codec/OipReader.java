package inference.codec;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.Shape;
import inference.model.Signature;
import inference.model.TensorSpec;

/**
 * Reads the tensors of the Open Inference Protocol v2, with the binary tensor data
 * extension.
 */
final class OipReader {

	private static final int MOST_DIMENSIONS = 64;

	private final Signature signature;

	private final Inputs inputs;

	private final byte[] body;

	private final int jsonEnd;

	private final LongConsumer memory;

	OipReader(Signature signature, Inputs inputs, byte[] body, int jsonEnd, LongConsumer memory) {
		this.signature = signature;
		this.inputs = inputs;
		this.body = body;
		this.jsonEnd = jsonEnd;
		this.memory = memory;
	}

	void inputs(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw new InvalidRequestException(
					"\"inputs\" must be an array of objects with name, shape, datatype and data.");
		}
		parser.nextToken();
		inputsRest(parser);
	}

	/** Reads the inputs from the first one on, or from the first name in it. */
	void inputsRest(JsonParser parser) {
		while (parser.currentToken() != JsonToken.END_ARRAY) {
			if (!Json.isObject(parser)) {
				throw new InvalidRequestException(
						"Each of \"inputs\" must be an object with name, shape, datatype and data.");
			}
			input(parser);
			parser.nextToken();
		}
	}

	/** Reads which outputs are wanted, and how. */
	void outputs(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw new InvalidRequestException("\"outputs\" must be an array of objects with a name.");
		}
		Map<TensorSpec, @Nullable Boolean> wanted = new LinkedHashMap<>(this.inputs.outputs);
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			String name = "";
			Boolean binary = null;
			if (parser.currentToken() != JsonToken.START_OBJECT) {
				throw new InvalidRequestException("\"outputs\" must be an array of objects with a name.");
			}
			for (String member = Json.nextMember(parser); member != null; member = Json.nextMember(parser)) {
				switch (member) {
					case "name" -> name = Json.text(parser, "an output's \"name\"");
					case "parameters" ->
						binary = Json.parameters(parser).get("binary_data") instanceof Boolean value ? value : null;
					default -> parser.skipChildren();
				}
			}
			TensorSpec spec = this.signature.output(name);
			if (spec == null) {
				throw new InvalidRequestException("There is no output '%s'; the model gives %s."
					.formatted(InvalidRequestException.excerpt(name), this.signature.outputs()));
			}
			wanted.put(spec, binary);
		}
		this.inputs.outputs = wanted;
	}

	private void input(JsonParser parser) {
		String name = null;
		String dataType = null;
		Shape shape = null;
		Map<String, Object> parameters = Map.of();
		int unread = -1;
		boolean read = false;
		for (String member = Json.firstMember(parser); member != null; member = Json.nextMember(parser)) {
			switch (member) {
				case "name" -> name = Json.text(parser, "an input's \"name\"");
				case "datatype" -> dataType = Json.text(parser, "an input's \"datatype\"");
				case "shape" -> shape = shape(parser);
				case "parameters" -> parameters = Json.parameters(parser);
				case "data" -> {
					// Usually all that describes the data is known by now; else they are
					// read again, from where they are.
					if (name != null && dataType != null && shape != null) {
						data(parser, spec(name, dataType, shape), shape);
						read = true;
					}
					else {
						unread = Json.offset(parser);
						parser.skipChildren();
					}
				}
				default -> parser.skipChildren();
			}
		}
		if (name == null || dataType == null || shape == null) {
			throw new InvalidRequestException("Input '%s' must have name, shape, datatype and data."
				.formatted(InvalidRequestException.excerpt(String.valueOf(name))));
		}
		Object size = parameters.get("binary_data_size");
		if (size != null) {
			promise(spec(name, dataType, shape), shape, size, read || unread >= 0);
		}
		else if (unread >= 0) {
			try (JsonParser again = Json.parser(this.body, unread, this.jsonEnd)) {
				again.nextToken();
				data(again, spec(name, dataType, shape), shape);
			}
		}
		else if (!read) {
			throw new InvalidRequestException("Input '%s' must have \"data\", or the parameter binary_data_size."
				.formatted(InvalidRequestException.excerpt(name)));
		}
	}

	private TensorSpec spec(String name, String dataType, Shape shape) {
		TensorSpec spec = this.inputs.spec(name);
		if (!spec.dataType().name().equals(dataType)) {
			throw new InvalidRequestException("Input '%s' is %s, not %s.".formatted(spec.name(), spec.dataType(),
					InvalidRequestException.excerpt(dataType)));
		}
		if (!spec.shape().accepts(shape)) {
			throw new InvalidRequestException("Input '%s' must have shape %s, not %s.".formatted(spec.name(),
					spec.shape(), InvalidRequestException.excerpt(shape.toString())));
		}
		return spec;
	}

	private void data(JsonParser parser, TensorSpec spec, Shape shape) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw new InvalidRequestException("Input '%s' must have an array as \"data\".".formatted(spec.name()));
		}
		TensorReader reader = new TensorReader(spec, shape, this.memory);
		reader.read(parser, 0);
		this.inputs.add(spec, reader.toTensor());
	}

	private void promise(TensorSpec spec, Shape shape, Object size, boolean hasData) {
		if (!(size instanceof Long bytes) || bytes < 0) {
			throw new InvalidRequestException(
					"Input '%s' must have a number of bytes as binary_data_size.".formatted(spec.name()));
		}
		if (hasData) {
			throw new InvalidRequestException(
					"Input '%s' has both \"data\" and binary_data_size.".formatted(spec.name()));
		}
		long width = spec.dataType().width();
		if (width > 0 && bytes != shape.elements() * width) {
			throw new InvalidRequestException(
					"Input '%s' of shape %s and %d bytes per element has %d bytes, not the %d of its "
						.formatted(spec.name(), shape, width, shape.elements() * width, bytes) + "binary_data_size.");
		}
		this.inputs.promise(spec, shape, bytes);
	}

	private Shape shape(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw new InvalidRequestException("An input's \"shape\" must be an array.");
		}
		long[] dimensions = new long[4];
		int rank = 0;
		long elements = 1;
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			long dimension = Json.integer(parser);
			// No tensor of more elements than this fits into a request.
			elements = Math.multiplyHigh(elements, dimension) == 0 ? elements * dimension : -1;
			if (dimension < 0 || elements < 0 || elements > Integer.MAX_VALUE || rank == MOST_DIMENSIONS) {
				throw new InvalidRequestException(
						"An input's \"shape\" must be a few integers, 0 or more, none too large.");
			}
			if (rank == dimensions.length) {
				dimensions = Arrays.copyOf(dimensions, MOST_DIMENSIONS);
			}
			dimensions[rank++] = dimension;
		}
		return Shape.of(Arrays.copyOf(dimensions, rank));
	}

}
