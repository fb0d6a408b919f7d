package inference.codec;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

/**
 * Writes one tensor as JSON, element by element out of its buffer.
 */
final class TensorWriter {

	// The number of characters after which numbers are handed to the generator.
	private static final int PIECE_LENGTH = 8000;

	private final DataType dataType;

	private final Shape shape;

	private final List<String> keys;

	private final ByteBuffer unwritten;

	/**
	 * Starts at the tensor's first element.
	 * @param keys the names of the last dimension's elements, to write it as an object;
	 * empty to write an array
	 */
	TensorWriter(Tensor tensor, List<String> keys) {
		this.dataType = tensor.dataType();
		this.shape = tensor.shape();
		this.keys = keys;
		this.unwritten = tensor.contents();
	}

	/** Whether a tensor has bytes that no JSON string can hold. */
	static boolean hasNonUtf8(Tensor tensor) {
		ByteBuffer rest = tensor.contents();
		boolean isText = true;
		while (tensor.dataType() == DataType.BYTES && isText && rest.hasRemaining()) {
			isText = decodeUtf8(nextBytes(rest)) != null;
		}
		return !isText;
	}

	/**
	 * Writes a tensor of the Open Inference Protocol.
	 * @param binary whether its contents come behind the JSON
	 */
	static void writeOip(JsonGenerator json, String name, Tensor tensor, boolean binary) {
		json.writeStartObject();
		json.writeStringProperty("name", name);
		json.writeStringProperty("datatype", tensor.dataType().name());
		json.writeName("shape");
		json.writeArray(tensor.shape().dimensions(), 0, tensor.shape().rank());
		if (binary) {
			json.writeObjectPropertyStart("parameters");
			json.writeNumberProperty("binary_data_size", tensor.contents().remaining());
			json.writeEndObject();
		}
		else {
			json.writeArrayPropertyStart("data");
			new TensorWriter(tensor, List.of()).writeElements(json, tensor.shape().elementCount());
			json.writeEndArray();
		}
		json.writeEndObject();
	}

	/**
	 * Writes the tensor, or its next row, as nested JSON arrays in TensorFlow Serving's
	 * form.
	 * @param depth 0 for the whole tensor, 1 for its next row
	 */
	void writeNested(JsonGenerator json, int depth) {
		if (depth == this.shape.rank()) {
			writeElements(json, 1);
			return;
		}
		boolean isInnermost = depth == this.shape.rank() - 1;
		if (isInnermost && !this.keys.isEmpty()) {
			json.writeStartObject();
			for (String key : this.keys) {
				json.writeName(key);
				writeElements(json, 1);
			}
			json.writeEndObject();
			return;
		}
		json.writeStartArray();
		if (isInnermost) {
			writeElements(json, this.shape.dimension(depth));
		}
		else {
			for (long i = 0; i < this.shape.dimension(depth); i++) {
				writeNested(json, depth + 1);
			}
		}
		json.writeEndArray();
	}

	// Many numbers are written at once. One string for each number would be slow.
	private void writeElements(JsonGenerator json, long count) {
		StringBuilder piece = new StringBuilder();
		for (long i = 0; i < count; i++) {
			if (this.dataType == DataType.BYTES) {
				writeString(json);
				continue;
			}
			appendNumber(piece);
			if (piece.length() >= PIECE_LENGTH || i == count - 1) {
				json.writeRawValue(piece.toString());
				piece.setLength(0);
			}
			else {
				piece.append(',');
			}
		}
	}

	private StringBuilder appendNumber(StringBuilder target) {
		return switch (this.dataType) {
			case BOOL -> target.append(this.unwritten.get() != 0);
			case UINT8 -> target.append(Byte.toUnsignedInt(this.unwritten.get()));
			case INT8 -> target.append(this.unwritten.get());
			case UINT16 -> target.append(Short.toUnsignedInt(this.unwritten.getShort()));
			case INT16 -> target.append(this.unwritten.getShort());
			case UINT32 -> target.append(Integer.toUnsignedLong(this.unwritten.getInt()));
			case INT32 -> target.append(this.unwritten.getInt());
			case UINT64 -> target.append(Long.toUnsignedString(this.unwritten.getLong()));
			case INT64 -> target.append(this.unwritten.getLong());
			case FP16 -> target.append(Float.float16ToFloat(this.unwritten.getShort()));
			case BF16 -> target.append(Float.intBitsToFloat(this.unwritten.getShort() << Short.SIZE));
			case FP32 -> target.append(this.unwritten.getFloat());
			case FP64 -> target.append(this.unwritten.getDouble());
			case BYTES -> throw new IllegalStateException("BYTES as a number. This is a bug.");
		};
	}

	private void writeString(JsonGenerator json) {
		byte[] bytes = nextBytes(this.unwritten);
		String text = decodeUtf8(bytes);
		if (text != null) {
			json.writeString(text);
			return;
		}
		json.writeStartObject();
		json.writeBinaryProperty("b64", bytes);
		json.writeEndObject();
	}

	private static byte[] nextBytes(ByteBuffer strings) {
		byte[] bytes = new byte[strings.getInt()];
		strings.get(bytes);
		return bytes;
	}

	// Returns null if the bytes are not UTF-8.
	private static @Nullable String decodeUtf8(byte[] bytes) {
		String text = new String(bytes, StandardCharsets.UTF_8);
		return Arrays.equals(bytes, text.getBytes(StandardCharsets.UTF_8)) ? text : null;
	}

}
