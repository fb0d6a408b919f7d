package inference.codec;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.DataType;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.codec.InvalidRequestException.require;
import static inference.codec.InvalidRequestException.requirePresent;

/**
 * Reads the two forms of TensorFlow Serving: rows under {@code instances}, which are also
 * KServe's v1 protocol, and columns under {@code inputs}. A row is an object with one
 * member for each input, and the columns are such an object, too. If the model has only
 * one input, the value of that input may replace the object.
 */
final class V1Reader {

	// The index of the instance while the columns are read.
	private static final int COLUMNS_INDEX = -1;

	private final Signature signature;

	private final Map<String, TensorReader> readers = new LinkedHashMap<>();

	V1Reader(Signature signature, LongConsumer memoryReserver) {
		this.signature = signature;
		for (TensorSpec spec : signature.inputs()) {
			this.readers.put(spec.name(), new TensorReader(spec, true, memoryReserver));
		}
	}

	Map<String, Tensor> readInstances(JsonParser parser) {
		require(parser.currentToken() == JsonToken.START_ARRAY,
				"\"instances\" must be an array with one element per row.");
		require(!this.readers.isEmpty(), "The model has no inputs, and so no rows: send {\"inputs\":{}}.");
		for (TensorSpec spec : this.signature.inputs()) {
			require(spec.shape().rank() > 0,
					"Input '%s' is a scalar and has no rows: use \"inputs\" in place of \"instances\".", spec.name());
		}
		int instanceCount = 0;
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			readInputs(parser, instanceCount);
			instanceCount++;
		}
		boolean hasBatch = this.signature.hasBatchedInput();
		for (TensorSpec spec : this.signature.inputs()) {
			// Without this check, two instances could fill a fixed first dimension of 2,
			// such as the layers of a recurrent model's state.
			boolean hasOneRow = instanceCount == 1 && spec.shape().dimension(0) == 1;
			require(!hasBatch || spec.shape().isBatched() || hasOneRow,
					"Input '%s' has shape %s, whose first dimension is not the batch: use \"inputs\" in place of \"instances\".",
					spec.name(), spec.shape());
		}
		for (TensorReader reader : this.readers.values()) {
			reader.setLength(0, instanceCount);
		}
		return toTensors();
	}

	Map<String, Tensor> readColumns(JsonParser parser) {
		readInputs(parser, COLUMNS_INDEX);
		return toTensors();
	}

	// Reads one instance, or all columns.
	private void readInputs(JsonParser parser, int instanceIndex) {
		int depth = (instanceIndex == COLUMNS_INDEX) ? 0 : 1;
		boolean isObject = parser.currentToken() == JsonToken.START_OBJECT;
		String name = isObject ? parser.nextName() : null;
		if (this.readers.size() == 1 && (!isObject || isBase64(name))) {
			this.readers.values().iterator().next().read(parser, depth);
			return;
		}
		if (!isObject) {
			throw invalidInstance(instanceIndex, "must be an object with " + this.signature.inputs());
		}
		Set<String> missingNames = new LinkedHashSet<>(this.readers.keySet());
		for (; name != null; name = parser.nextName()) {
			TensorReader reader = requirePresent(this.readers.get(name), InvalidRequestException.UNKNOWN_INPUT_MESSAGE,
					name, this.signature.inputs());
			if (!missingNames.remove(name)) {
				throw invalidInstance(instanceIndex, "has input '%s' twice".formatted(name));
			}
			parser.nextToken();
			reader.read(parser, depth);
		}
		if (!missingNames.isEmpty()) {
			throw invalidInstance(instanceIndex, "lacks input '%s'".formatted(missingNames.iterator().next()));
		}
	}

	// If the only input is BYTES, the object {"b64": …} is the value of that input,
	// unless the input itself is named b64.
	private boolean isBase64(@Nullable String name) {
		TensorSpec onlyInput = this.signature.inputs().getFirst();
		return "b64".equals(name) && onlyInput.dataType() == DataType.BYTES && !onlyInput.name().equals("b64");
	}

	private Map<String, Tensor> toTensors() {
		Map<String, Tensor> tensors = new LinkedHashMap<>();
		this.readers.forEach((name, reader) -> tensors.put(name, reader.toTensor()));
		return tensors;
	}

	private static InvalidRequestException invalidInstance(int instanceIndex, String problem) {
		return new InvalidRequestException("%s %s."
			.formatted((instanceIndex == COLUMNS_INDEX) ? "\"inputs\"" : "Instance " + instanceIndex, problem));
	}

}
