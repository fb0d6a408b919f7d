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
import inference.model.TensorSpec;

/**
 * Reads the two forms of TensorFlow Serving, which KServe calls v1: rows under
 * {@code instances} and columns under {@code inputs}. A model with one input takes its
 * value as it is, any model takes an object with a member for each input.
 */
final class RowsReader {

	private final Signature signature;

	private final Inputs inputs;

	private final LongConsumer memory;

	RowsReader(Signature signature, Inputs inputs, LongConsumer memory) {
		this.signature = signature;
		this.inputs = inputs;
		this.memory = memory;
	}

	void instances(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_ARRAY) {
			throw new InvalidRequestException("\"instances\" must be an array with one element per row.");
		}
		Map<String, TensorReader> readers = LinkedHashMap.newLinkedHashMap(this.signature.inputs().size());
		for (TensorSpec spec : this.signature.inputs()) {
			if (spec.shape().rank() == 0) {
				throw new InvalidRequestException(
						"Input '%s' is a scalar and has no rows: use \"inputs\" in place of \"instances\"."
							.formatted(spec.name()));
			}
			readers.put(spec.name(), new TensorReader(spec, null, this.memory));
		}
		TensorReader only = (readers.size() == 1) ? readers.values().iterator().next() : null;
		int count = 0;
		while (parser.nextToken() != JsonToken.END_ARRAY) {
			if (only != null && isValue(parser)) {
				only.read(parser, 1);
			}
			else {
				row(parser, readers, count);
			}
			count++;
		}
		for (TensorSpec spec : this.signature.inputs()) {
			TensorReader reader = readers.get(spec.name());
			if (reader != null) {
				reader.close(0, count);
				this.inputs.add(spec, reader.toTensor());
			}
		}
	}

	void columns(JsonParser parser) {
		if (this.signature.inputs().size() == 1 && isValue(parser)) {
			column(parser, this.signature.inputs().getFirst());
			return;
		}
		if (!Json.isObject(parser)) {
			throw new InvalidRequestException(
					"\"inputs\" must be an object with %s.".formatted(this.signature.inputs()));
		}
		for (String member = firstMember(parser); member != null; member = parser.nextName()) {
			TensorSpec spec = this.inputs.spec(member);
			parser.nextToken();
			column(parser, spec);
		}
	}

	/** Reads the only input, an array whose first element is the parser's token. */
	void onlyColumn(JsonParser parser) {
		TensorSpec only = this.signature.inputs().getFirst();
		if (this.signature.inputs().size() != 1) {
			throw new InvalidRequestException(
					"\"inputs\" must be an object with %s.".formatted(this.signature.inputs()));
		}
		TensorReader reader = new TensorReader(only, null, this.memory);
		reader.readRest(parser, 0);
		this.inputs.add(only, reader.toTensor());
	}

	private void column(JsonParser parser, TensorSpec spec) {
		TensorReader reader = new TensorReader(spec, null, this.memory);
		reader.read(parser, 0);
		this.inputs.add(spec, reader.toTensor());
	}

	private void row(JsonParser parser, Map<String, TensorReader> readers, int index) {
		if (!Json.isObject(parser)) {
			throw new InvalidRequestException(
					"Instance %d must be an object with %s.".formatted(index, this.signature.inputs()));
		}
		Set<String> missing = new LinkedHashSet<>(readers.keySet());
		for (String member = firstMember(parser); member != null; member = parser.nextName()) {
			TensorReader reader = readers.get(this.inputs.spec(member).name());
			if (reader == null || !missing.remove(member)) {
				throw new InvalidRequestException("Instance %d has input '%s' twice.".formatted(index, member));
			}
			parser.nextToken();
			reader.read(parser, 1);
		}
		if (!missing.isEmpty()) {
			throw new InvalidRequestException(
					"Instance %d lacks input '%s'.".formatted(index, missing.iterator().next()));
		}
	}

	// An object is a row of named inputs, unless it is bytes for the only input. To see
	// that, its first name is read, and the parser stays there.
	private boolean isValue(JsonParser parser) {
		if (parser.currentToken() != JsonToken.START_OBJECT) {
			return true;
		}
		TensorSpec only = this.signature.inputs().getFirst();
		return "b64".equals(parser.nextName()) && only.dataType() == DataType.BYTES && !only.name().equals("b64");
	}

	private static @Nullable String firstMember(JsonParser parser) {
		return switch (parser.currentToken()) {
			case PROPERTY_NAME -> parser.currentName();
			case START_OBJECT -> parser.nextName();
			default -> null;
		};
	}

}
