package inference.codec;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;
import java.util.stream.LongStream;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.codec.InvalidRequestException.require;
import static inference.codec.InvalidRequestException.requirePresent;

/**
 * Reads the tensors of the Open Inference Protocol v2, with its binary tensor data
 * extension: tensors in JSON, tensors as bytes behind the JSON, and Triton's raw request,
 * which is one tensor without JSON.
 *
 * @param jsonEnd the offset in the body at which the JSON ends
 * @param binaryData the bytes behind the JSON that no tensor has taken yet; {@code null}
 * if the request does not say where its JSON ends
 */
@SuppressWarnings("ArrayRecordComponent") // Readers are never compared.
record OipReader(Signature signature, byte[] body, int jsonEnd, @Nullable ByteBuffer binaryData,
		LongConsumer memoryReserver) {

	private static final String OUTPUTS_MESSAGE = "\"outputs\" must be an array of objects with a name.";

	Map<String, Tensor> readInputs(JsonParser parser) {
		require(parser.currentToken() == JsonToken.START_ARRAY,
				"\"inputs\" must be an array of objects with name, shape, datatype and data.");
		Map<String, Tensor> tensors = new LinkedHashMap<>();
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			require(parser.currentToken() == JsonToken.START_OBJECT,
					"Each of \"inputs\" must be an object with name, shape, datatype and data.");
			readInput(parser, tensors);
		}
		for (TensorSpec spec : this.signature.inputs()) {
			require(tensors.containsKey(spec.name()), "Input '%s' is missing; the model takes %s.", spec.name(),
					this.signature.inputs());
		}
		return tensors;
	}

	/** Returns the wanted outputs, each with its parameter {@code binary_data}. */
	Map<TensorSpec, @Nullable Boolean> readOutputs(JsonParser parser) {
		require(parser.currentToken() == JsonToken.START_ARRAY, OUTPUTS_MESSAGE);
		Map<TensorSpec, @Nullable Boolean> binaryByOutput = new LinkedHashMap<>();
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			require(parser.currentToken() == JsonToken.START_OBJECT, OUTPUTS_MESSAGE);
			String name = null;
			Boolean isBinary = null;
			Set<String> seenNames = new HashSet<>();
			for (String member = Json.nextMember(parser, seenNames); member != null; member = Json.nextMember(parser,
					seenNames)) {
				switch (member) {
					case "name" -> name = Json.stringValue(parser, "An output's \"name\"");
					case "parameters" -> isBinary = Json.booleanParameter(Json.readParameters(parser), "binary_data");
					default -> parser.skipChildren();
				}
			}
			name = requirePresent(name, "An output lacks \"name\".");
			TensorSpec spec = requirePresent(this.signature.output(name),
					"There is no output '%s'; the model gives %s.", name, this.signature.outputs());
			require(!binaryByOutput.containsKey(spec), "Output '%s' is asked for twice.", name);
			binaryByOutput.put(spec, isBinary);
		}
		return binaryByOutput;
	}

	/** Reads Triton's raw request: the body is the bytes of the only input. */
	Map<String, Tensor> readRaw() {
		require(this.signature.inputs().size() == 1,
				"A body without JSON needs a model with one input; this one takes %s.", this.signature.inputs());
		TensorSpec spec = this.signature.inputs().getFirst();
		int length = this.body.length;
		if (spec.dataType() == DataType.BYTES) {
			// The body is one string without its length.
			this.memoryReserver.accept(Integer.BYTES + length);
			ByteBuffer contents = Tensor.allocate(Integer.BYTES + length).putInt(length).put(this.body).flip();
			return Map.of(spec.name(), createTensor(spec, rawShape(spec, 1), contents));
		}
		Shape shape = rawShape(spec, length / spec.dataType().width());
		return Map.of(spec.name(), createTensor(spec, shape, ByteBuffer.wrap(this.body)));
	}

	// A raw request does not state its shape. One variable dimension gets its size from
	// the body's length. If the batch dimension is variable as well, its size is 1.
	private static Shape rawShape(TensorSpec spec, long elementCount) {
		Shape shape = spec.shape();
		long variableCount = LongStream.of(shape.dimensions())
			.filter((dimension) -> dimension == Shape.VARIABLE)
			.count();
		require(variableCount <= (shape.isBatched() ? 2 : 1),
				"Input '%s' has shape %s, which a body without JSON does not determine.", spec.name(), shape);
		long fixedElementCount = (long) spec.elementCount(1, 1);
		long variableSize = (fixedElementCount > 0) ? elementCount / fixedElementCount : 0;
		return spec.hasVariableInnerSize() ? shape.withSizes(1, variableSize) : shape.withSizes(variableSize, 1);
	}

	private void readInput(JsonParser parser, Map<String, Tensor> tensors) {
		String name = null;
		String dataType = null;
		Shape shape = null;
		Tensor tensor = null;
		Map<String, String> parameters = Map.of();
		int dataOffset = -1;
		Set<String> seenNames = new HashSet<>();
		for (String member = Json.nextMember(parser, seenNames); member != null; member = Json.nextMember(parser,
				seenNames)) {
			switch (member) {
				case "name" -> name = Json.stringValue(parser, "An input's \"name\"");
				case "datatype" -> dataType = Json.stringValue(parser, "An input's \"datatype\"");
				case "shape" -> shape = readShape(parser);
				case "parameters" -> parameters = Json.readParameters(parser);
				case "data" -> {
					if (name != null && dataType != null && shape != null) {
						tensor = readData(parser, requireSpec(name, dataType, shape), shape);
					}
					else {
						// The data comes before the name, datatype or shape, so a second
						// parser reads the data later.
						dataOffset = Json.tokenOffset(parser);
						parser.skipChildren();
					}
				}
				default -> parser.skipChildren();
			}
		}
		name = requirePresent(name, "Input %d lacks \"name\".", tensors.size());
		dataType = requirePresent(dataType, "Input '%s' lacks \"datatype\".", name);
		shape = requirePresent(shape, "Input '%s' lacks \"shape\".", name);
		String binarySize = parameters.get("binary_data_size");
		boolean hasData = tensor != null || dataOffset >= 0;
		require(hasData == (binarySize == null),
				"Input '%s' must have either \"data\" or the parameter binary_data_size.", name);
		if (binarySize != null) {
			tensor = readBinary(requireSpec(name, dataType, shape), shape, binarySize);
		}
		else if (tensor == null) {
			try (JsonParser dataParser = Json.parser(this.signature, this.body, dataOffset, this.jsonEnd)) {
				dataParser.nextToken();
				tensor = readData(dataParser, requireSpec(name, dataType, shape), shape);
			}
		}
		require(tensors.put(name, tensor) == null, "Input '%s' comes twice.", name);
	}

	private TensorSpec requireSpec(String name, String dataType, Shape shape) {
		TensorSpec spec = requirePresent(this.signature.input(name), InvalidRequestException.UNKNOWN_INPUT_MESSAGE,
				name, this.signature.inputs());
		require(spec.dataType().name().equals(dataType), "Input '%s' is %s, not %s.", name, spec.dataType(), dataType);
		TensorReader.requireShape(spec, shape);
		return spec;
	}

	private Tensor readData(JsonParser parser, TensorSpec spec, Shape shape) {
		require(parser.currentToken() == JsonToken.START_ARRAY, "Input '%s' must have an array as \"data\".",
				spec.name());
		TensorReader reader = new TensorReader(spec, false, this.memoryReserver);
		reader.read(parser, 0);
		return reader.toTensor(shape);
	}

	private Tensor readBinary(TensorSpec spec, Shape shape, String binarySize) {
		ByteBuffer unreadData = requirePresent(this.binaryData,
				"A binary_data_size needs the header Inference-Header-Content-Length.");
		long byteCount = RequestReader.parseLongOrMinusOne(binarySize);
		require(0 <= byteCount && byteCount <= unreadData.remaining(),
				"Input '%s' has binary_data_size %s, which must be a number of bytes, at most %d.", spec.name(),
				binarySize, unreadData.remaining());
		ByteBuffer contents = unreadData.slice(unreadData.position(), (int) byteCount);
		unreadData.position(unreadData.position() + (int) byteCount);
		return createTensor(spec, shape, contents);
	}

	private static Tensor createTensor(TensorSpec spec, Shape shape, ByteBuffer contents) {
		try {
			return Tensor.of(spec.dataType(), shape, contents);
		}
		catch (IllegalArgumentException ex) {
			throw new InvalidRequestException("Input '%s': %s.".formatted(spec.name(), ex.getMessage()));
		}
	}

	private static Shape readShape(JsonParser parser) {
		require(parser.currentToken() == JsonToken.START_ARRAY, "An input's \"shape\" must be an array.");
		long[] dimensions = new long[Json.MAX_DEPTH];
		int rank = 0;
		long elementCount = 1;
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			boolean isInt = parser.currentToken() == JsonToken.VALUE_NUMBER_INT
					&& parser.getNumberType() == JsonParser.NumberType.INT;
			int dimension = isInt ? parser.getIntValue() : -1;
			// Both factors are below 2^31, so their product fits a long.
			elementCount *= dimension;
			require(dimension >= 0 && elementCount <= Integer.MAX_VALUE && rank < dimensions.length,
					"An input's \"shape\" must have at most %d dimensions, each from 0 to %d, and their product must not be larger.",
					dimensions.length, Integer.MAX_VALUE);
			dimensions[rank++] = dimension;
		}
		return Shape.of(Arrays.copyOf(dimensions, rank));
	}

}
