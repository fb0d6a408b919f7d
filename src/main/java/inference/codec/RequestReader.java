package inference.codec;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;
import tools.jackson.core.TokenStreamLocation;

import inference.codec.InferenceRequest.BodyFormat;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.codec.InvalidRequestException.require;
import static inference.codec.InvalidRequestException.requirePresent;

/**
 * Reads the body of one request. The members of a JSON object may come in any order.
 * Unknown members are skipped, but an unknown input or output is refused.
 */
public final class RequestReader {

	// TensorFlow Serving's default name of a signature. This server accepts no other
	// name. An empty name means the default.
	private static final String DEFAULT_SIGNATURE_NAME = "serving_default";

	private final Signature signature;

	private final Set<BodyFormat> allowedFormats;

	private final LongConsumer memoryReserver;

	private @Nullable BodyFormat format;

	private @Nullable String id;

	private Map<String, Tensor> inputs = Map.of();

	private Map<TensorSpec, @Nullable Boolean> binaryByOutput = Map.of();

	private Map<String, String> parameters = Map.of();

	/**
	 * @param allowedFormats the formats that the request's path takes
	 * @param memoryReserver reserves memory for tensors, in bytes. It gets a positive
	 * number before an allocation and a negative number after a release. It may throw an
	 * exception to refuse an allocation
	 */
	public RequestReader(Signature signature, Set<BodyFormat> allowedFormats, LongConsumer memoryReserver) {
		this.signature = signature;
		this.allowedFormats = allowedFormats;
		this.memoryReserver = memoryReserver;
	}

	/**
	 * Reads the request.
	 * @param body the JSON, and behind the JSON the tensors that are sent as bytes
	 * @param jsonLengthHeader the value of the header {@code
	 * Inference-Header-Content-Length}; {@code null} if the whole body is JSON, 0 if
	 * there is no JSON and the body is the bytes of the only input
	 * @return the request, whose tensors may be views of the body
	 * @throws InvalidRequestException if the model cannot be run with the request
	 */
	public InferenceRequest read(byte[] body, @Nullable String jsonLengthHeader) {
		int jsonEnd = (jsonLengthHeader != null) ? parseJsonLength(jsonLengthHeader, body.length) : body.length;
		ByteBuffer binaryData = (jsonLengthHeader != null) ? ByteBuffer.wrap(body, jsonEnd, body.length - jsonEnd)
				: null;
		OipReader oipReader = new OipReader(this.signature, body, jsonEnd, binaryData, this.memoryReserver);
		if (binaryData != null && jsonEnd == 0 && this.allowedFormats.contains(BodyFormat.OIP)) {
			List<TensorSpec> outputs = this.signature.outputs();
			return new InferenceRequest(BodyFormat.OIP, null, oipReader.readRaw(), outputs, outputs, null);
		}
		require(jsonEnd > 0, "The body has no JSON: send %s.", exampleBody());
		require(Json.mayBeUtf8(body), "The body must be JSON in UTF-8.");
		try (JsonParser parser = Json.parser(this.signature, body, 0, jsonEnd)) {
			readMembers(parser, oipReader, body, jsonEnd);
		}
		catch (JacksonException ex) {
			throw new InvalidRequestException("The body is not JSON as expected: " + describe(ex));
		}
		BodyFormat format = requirePresent(this.format, "The body has no tensors: send %s.", exampleBody());
		require(binaryData == null || !binaryData.hasRemaining(),
				"There are bytes behind the JSON that no binary_data_size covers.");
		List<TensorSpec> outputs = this.binaryByOutput.isEmpty() ? this.signature.outputs()
				: List.copyOf(this.binaryByOutput.keySet());
		boolean binaryByDefault = Boolean.TRUE.equals(Json.booleanParameter(this.parameters, "binary_data_output"));
		List<TensorSpec> binaryOutputs = outputs.stream()
			.filter((output) -> Objects.requireNonNullElse(this.binaryByOutput.get(output), binaryByDefault))
			.toList();
		require(format == BodyFormat.OIP || binaryOutputs.isEmpty(),
				"Only the Open Inference Protocol has binary outputs: send \"inputs\" with name, shape and datatype.");
		InferenceRequest request = new InferenceRequest(format, this.id, this.inputs, outputs, binaryOutputs,
				timeout());
		if (format == BodyFormat.ROWS) {
			refuseFixedOutputRows(request);
		}
		return request;
	}

	/**
	 * The id that the client gave the request, or {@code null} if none has been read.
	 * After {@link #read} has refused the request, the id is still known.
	 */
	public @Nullable String id() {
		return this.id;
	}

	private void readMembers(JsonParser parser, OipReader oipReader, byte[] body, int jsonEnd) {
		require(parser.nextToken() == JsonToken.START_OBJECT, "The body must be a JSON object: send %s.",
				exampleBody());
		Set<String> seenNames = new HashSet<>();
		for (String member = Json.nextMember(parser, seenNames); member != null; member = Json.nextMember(parser,
				seenNames)) {
			switch (member) {
				case "instances" -> {
					setFormat(BodyFormat.ROWS);
					this.inputs = new V1Reader(this.signature, this.memoryReserver).readInstances(parser);
				}
				case "inputs" -> {
					setFormat(isOip(parser, body, jsonEnd) ? BodyFormat.OIP : BodyFormat.COLUMNS);
					this.inputs = (this.format == BodyFormat.OIP) ? oipReader.readInputs(parser)
							: new V1Reader(this.signature, this.memoryReserver).readColumns(parser);
				}
				case "outputs" -> this.binaryByOutput = oipReader.readOutputs(parser);
				case "parameters" -> this.parameters = Json.readParameters(parser);
				case "id" -> this.id = Json.stringValue(parser, "\"id\"");
				case "signature_name" -> {
					String name = Json.stringValue(parser, "\"signature_name\"");
					require(name.isEmpty() || name.equals(DEFAULT_SIGNATURE_NAME),
							"There is no signature '%s', only '%s'.", name, DEFAULT_SIGNATURE_NAME);
				}
				default -> parser.skipChildren();
			}
		}
		require(parser.nextToken() == null, "The body must end after the JSON object.");
	}

	// The column form and the Open Inference Protocol both use the member "inputs". If
	// the path takes columns, a second parser looks at the first element of the array. An
	// object other than {"b64": …} means the Open Inference Protocol. An empty array
	// means columns, unless the path takes the protocol and the model has no inputs.
	private boolean isOip(JsonParser parser, byte[] body, int jsonEnd) {
		if (!this.allowedFormats.contains(BodyFormat.COLUMNS)) {
			return true;
		}
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			return false;
		}
		try (JsonParser lookaheadParser = Json.parser(this.signature, body, Json.tokenOffset(parser), jsonEnd)) {
			lookaheadParser.nextToken();
			if (lookaheadParser.nextToken() == JsonToken.START_OBJECT) {
				return !"b64".equals(lookaheadParser.nextName());
			}
			return this.signature.inputs().isEmpty() && this.allowedFormats.contains(BodyFormat.OIP);
		}
	}

	private void setFormat(BodyFormat format) {
		require(this.format == null, "The body has tensors twice: send \"instances\" or \"inputs\", once.");
		require(this.allowedFormats.contains(format), "This path takes another form: send %s.", exampleBody());
		this.format = format;
	}

	// The row form needs one output row per instance. If all inputs are batched, a fixed
	// number of output rows does not belong to the instances, even if the numbers are
	// equal. A single row can only belong to the single instance. InferenceResponse
	// refuses another number of rows.
	private void refuseFixedOutputRows(InferenceRequest request) {
		long instanceCount = request.instanceCount();
		boolean areInputsBatched = this.signature.inputs().stream().allMatch((spec) -> spec.shape().isBatched());
		if (!areInputsBatched || instanceCount == 1) {
			return;
		}
		for (TensorSpec output : request.outputs()) {
			Shape shape = output.shape();
			require(shape.rank() == 0 || shape.dimension(0) != instanceCount,
					"Output '%s' always has %d rows, whatever the number of instances is: use \"inputs\" in place of \"instances\".",
					output.name(), instanceCount);
		}
	}

	// The parameter is in microseconds, as in Triton's schedule policy extension. 0 means
	// no timeout.
	private @Nullable Duration timeout() {
		String timeout = this.parameters.getOrDefault("timeout", "0");
		long micros = parseLongOrMinusOne(timeout);
		require(micros >= 0, "Parameter 'timeout' must be a number of microseconds, 0 or more, not %s.", timeout);
		return (micros > 0) ? Duration.of(micros, ChronoUnit.MICROS) : null;
	}

	// Removes the parts of Jackson's message that do not help a client: advice about the
	// configuration of Jackson, lists of valid tokens, and "(start marker at …)".
	private static String describe(JacksonException ex) {
		String message = ex.getOriginalMessage()
			.replaceAll(
					"[:,] (enable|from) `[^`]*`( to allow)?|(: was expecting)? \\(JSON .*| \\((start marker at|not recognized) .*",
					"");
		TokenStreamLocation location = ex.getLocation();
		String locationSuffix = (location == null) ? "."
				: " (line %d, column %d).".formatted(location.getLineNr(), location.getColumnNr());
		return InvalidRequestException.excerpt(message) + locationSuffix;
	}

	/** The number in a text; -1 if it is not an integer that fits a {@code long}. */
	public static long parseLongOrMinusOne(String text) {
		try {
			return Long.parseLong(text.strip());
		}
		catch (NumberFormatException ex) {
			return -1;
		}
	}

	private static int parseJsonLength(String header, int bodyLength) {
		long length = parseLongOrMinusOne(header);
		require(0 <= length && length <= bodyLength,
				"Inference-Header-Content-Length must be the length of the JSON in bytes, %d at most, not '%s'.",
				bodyLength, header);
		return (int) length;
	}

	private String exampleBody() {
		return this.allowedFormats.contains(BodyFormat.ROWS) ? "{\"instances\":[…]}"
				: "{\"inputs\":[{\"name\":…,\"shape\":[…],\"datatype\":…,\"data\":[…]}]}";
	}

}
