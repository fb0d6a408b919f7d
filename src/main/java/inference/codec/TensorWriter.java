package inference.codec;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.List;

import tools.jackson.core.JsonGenerator;
import tools.jackson.core.exc.JacksonIOException;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

/**
 * Writes one tensor as JSON, element by element out of its buffer.
 */
final class TensorWriter {

	// Numbers are written in pieces of about this length. One call of the generator for
	// each number would be slow.
	private static final int PIECE_CHARS = 16_000;

	// A text is checked for UTF-8 in pieces of this length, to save memory.
	private static final int DECODE_BUFFER_CHARS = 512;

	private final DataType dataType;

	private final Shape shape;

	private final List<String> keys;

	private final ByteBuffer unwrittenElements;

	/**
	 * A writer that starts at the tensor's first element.
	 * @param keys the names of the columns, to write the innermost arrays as objects;
	 * empty to write them as arrays
	 */
	TensorWriter(Tensor tensor, List<String> keys) {
		this.dataType = tensor.dataType();
		this.shape = tensor.shape();
		this.keys = keys;
		this.unwrittenElements = tensor.contents();
	}

	/**
	 * Whether a BYTES tensor has bytes that are not UTF-8. A JSON string cannot hold such
	 * bytes.
	 */
	static boolean hasNonUtf8Bytes(Tensor tensor) {
		if (tensor.dataType() != DataType.BYTES) {
			return false;
		}
		ByteBuffer rest = tensor.contents();
		while (rest.hasRemaining()) {
			if (!isUtf8(nextBytes(rest))) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Writes a tensor in the form of the Open Inference Protocol.
	 * @param isBinary whether the tensor's contents are sent as bytes behind the JSON
	 */
	static void writeOip(JsonGenerator generator, String name, Tensor tensor, boolean isBinary) {
		generator.writeStartObject();
		generator.writeStringProperty("name", name);
		generator.writeStringProperty("datatype", tensor.dataType().name());
		generator.writeName("shape");
		generator.writeArray(tensor.shape().dimensions(), 0, tensor.shape().rank());
		if (isBinary) {
			generator.writeObjectPropertyStart("parameters");
			generator.writeNumberProperty("binary_data_size", tensor.contents().remaining());
			generator.writeEndObject();
		}
		else {
			generator.writeArrayPropertyStart("data");
			new TensorWriter(tensor, List.of()).writeElements(generator, tensor.shape().elementCount());
			generator.writeEndArray();
		}
		generator.writeEndObject();
	}

	/**
	 * Writes the tensor, or its next row, as nested JSON arrays in TensorFlow Serving's
	 * form.
	 * @param depth 0 for the whole tensor, 1 for its next row
	 */
	void writeNested(JsonGenerator generator, int depth) {
		if (depth == this.shape.rank()) {
			writeElements(generator, 1);
			return;
		}
		boolean isInnermost = depth == this.shape.rank() - 1;
		if (isInnermost && !this.keys.isEmpty()) {
			generator.writeStartObject();
			for (String key : this.keys) {
				generator.writeName(key);
				writeElements(generator, 1);
			}
			generator.writeEndObject();
			return;
		}
		generator.writeStartArray();
		if (isInnermost) {
			writeElements(generator, this.shape.dimension(depth));
		}
		else {
			for (long i = 0; i < this.shape.dimension(depth); i++) {
				writeNested(generator, depth + 1);
			}
		}
		generator.writeEndArray();
	}

	private void writeElements(JsonGenerator generator, long count) {
		if (this.dataType == DataType.BYTES) {
			for (long i = 0; i < count; i++) {
				writeString(generator);
			}
			return;
		}
		// To the generator, all numbers together are one raw value. This call writes a
		// comma or colon before the value if needed. The numbers follow.
		generator.writeRawValue("");
		StringBuilder piece = new StringBuilder();
		for (long i = 0; i < count; i++) {
			appendNumber(piece);
			if (i < count - 1) {
				piece.append(',');
			}
			if (piece.length() >= PIECE_CHARS) {
				writeBypassingGenerator(generator, piece.toString());
				piece.setLength(0);
			}
		}
		generator.writeRaw(piece.toString());
	}

	// Writes to the generator's target. The generator itself would copy the text into its
	// buffer character by character.
	private static void writeBypassingGenerator(JsonGenerator generator, String numbers) {
		generator.flush();
		OutputStream target = (OutputStream) generator.streamWriteOutputTarget();
		try {
			target.write(numbers.getBytes(StandardCharsets.US_ASCII));
		}
		catch (IOException ex) {
			throw JacksonIOException.construct(ex, generator);
		}
	}

	private void appendNumber(StringBuilder target) {
		switch (this.dataType) {
			case BOOL -> target.append(this.unwrittenElements.get() != 0);
			case UINT8 -> target.append(Byte.toUnsignedInt(this.unwrittenElements.get()));
			case INT8 -> target.append(this.unwrittenElements.get());
			case UINT16 -> target.append(Short.toUnsignedInt(this.unwrittenElements.getShort()));
			case INT16 -> target.append(this.unwrittenElements.getShort());
			case UINT32 -> target.append(Integer.toUnsignedLong(this.unwrittenElements.getInt()));
			case INT32 -> target.append(this.unwrittenElements.getInt());
			case UINT64 -> target.append(Long.toUnsignedString(this.unwrittenElements.getLong()));
			case INT64 -> target.append(this.unwrittenElements.getLong());
			case FP16 -> target.append(Float.float16ToFloat(this.unwrittenElements.getShort()));
			case BF16 -> target.append(Float.intBitsToFloat(this.unwrittenElements.getShort() << Short.SIZE));
			case FP32 -> target.append(this.unwrittenElements.getFloat());
			case FP64 -> target.append(this.unwrittenElements.getDouble());
			case BYTES -> throw new IllegalStateException("a string is not a number");
		}
	}

	// A text may fill most of the memory that its request has reserved. So it is not
	// decoded as a whole, and it is copied only if its buffer has no array.
	private void writeString(JsonGenerator generator) {
		ByteBuffer bytes = nextBytes(this.unwrittenElements);
		boolean isUtf8 = isUtf8(bytes.duplicate());
		ByteBuffer heapBytes = bytes.hasArray() ? bytes : ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
		if (isUtf8) {
			generator.writeUTF8String(heapBytes.array(), heapBytes.arrayOffset(), heapBytes.remaining());
			return;
		}
		generator.writeStartObject();
		generator.writeName("b64");
		generator.writeBinary(heapBytes.array(), heapBytes.arrayOffset(), heapBytes.remaining());
		generator.writeEndObject();
	}

	private static ByteBuffer nextBytes(ByteBuffer strings) {
		int length = strings.getInt();
		ByteBuffer bytes = strings.slice(strings.position(), length);
		strings.position(strings.position() + length);
		return bytes;
	}

	private static boolean isUtf8(ByteBuffer bytes) {
		CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
		CharBuffer chars = CharBuffer.allocate(Math.min(bytes.remaining() + 1, DECODE_BUFFER_CHARS));
		CoderResult result;
		do {
			result = decoder.decode(bytes, chars.clear(), true);
		}
		while (result.isOverflow());
		return result.isUnderflow();
	}

}
