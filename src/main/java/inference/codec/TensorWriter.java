package inference.codec;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

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

	private static final int MAX_NUMBER_LENGTH = 32;

	private final DataType dataType;

	private final Shape shape;

	private final ByteBuffer rest;

	// Floating point numbers. The generator would make a string of each.
	private final StringBuilder numbers = new StringBuilder();

	TensorWriter(Tensor tensor) {
		this.dataType = tensor.dataType();
		this.shape = tensor.shape();
		this.rest = tensor.contents();
	}

	/**
	 * Checks that a tensor can be written as JSON, before any of it is sent.
	 * @param base64 whether bytes that are not text are written as Base64
	 * @throws InvalidRequestException if it cannot
	 */
	static void requireJson(String name, Tensor tensor, boolean base64) {
		ByteBuffer contents = tensor.contents();
		switch (tensor.dataType()) {
			case FP16,
					BF16 ->
				throw new InvalidRequestException(
						"Output '%s' is %s, which JSON cannot carry: ask for it as binary data.".formatted(name,
								tensor.dataType()));
			case FP32 -> {
				while (contents.hasRemaining()) {
					requireFinite(name, contents.getFloat());
				}
			}
			case FP64 -> {
				while (contents.hasRemaining()) {
					requireFinite(name, contents.getDouble());
				}
			}
			case BYTES -> {
				while (!base64 && contents.hasRemaining()) {
					if (text(next(contents)) == null) {
						throw new InvalidRequestException(
								"Output '%s' is not text, which JSON cannot carry: ask for it as binary data."
									.formatted(name));
					}
				}
			}
			default -> {
				// Every value is a JSON value.
			}
		}
	}

	/** All elements in one array, as the Open Inference Protocol has them. */
	void flat(JsonGenerator json) {
		array(json, this.shape.elements());
	}

	/**
	 * What is left below a dimension, nested, as TensorFlow Serving has it.
	 * @param json where to write
	 * @param depth 0 for the whole tensor, 1 for its next row
	 */
	void nested(JsonGenerator json, int depth) {
		if (depth == this.shape.rank()) {
			element(json);
			return;
		}
		if (depth == this.shape.rank() - 1) {
			array(json, this.shape.dimension(depth));
			return;
		}
		json.writeStartArray();
		for (long i = 0; i < this.shape.dimension(depth); i++) {
			nested(json, depth + 1);
		}
		json.writeEndArray();
	}

	private void array(JsonGenerator json, long elements) {
		json.writeStartArray();
		if (isFloatingPoint()) {
			numbers(json, elements);
		}
		else {
			for (long i = 0; i < elements; i++) {
				element(json);
			}
		}
		json.writeEndArray();
	}

	private void numbers(JsonGenerator json, long elements) {
		this.numbers.ensureCapacity((int) Math.min(PIECE_LENGTH, MAX_NUMBER_LENGTH * elements));
		for (long i = 0; i < elements; i++) {
			if (i > 0) {
				this.numbers.append(',');
			}
			if (this.dataType == DataType.FP32) {
				this.numbers.append(this.rest.getFloat());
			}
			else {
				this.numbers.append(this.rest.getDouble());
			}
			if (this.numbers.length() >= PIECE_LENGTH) {
				writeNumbers(json);
			}
		}
		writeNumbers(json);
	}

	private void writeNumbers(JsonGenerator json) {
		json.writeRaw(this.numbers.toString());
		this.numbers.setLength(0);
	}

	private boolean isFloatingPoint() {
		return this.dataType == DataType.FP32 || this.dataType == DataType.FP64;
	}

	private void element(JsonGenerator json) {
		switch (this.dataType) {
			case BOOL -> json.writeBoolean(this.rest.get() != 0);
			case UINT8 -> json.writeNumber(Byte.toUnsignedInt(this.rest.get()));
			case INT8 -> json.writeNumber(this.rest.get());
			case UINT16 -> json.writeNumber(Short.toUnsignedInt(this.rest.getShort()));
			case INT16 -> json.writeNumber(this.rest.getShort());
			case UINT32 -> json.writeNumber(Integer.toUnsignedLong(this.rest.getInt()));
			case INT32 -> json.writeNumber(this.rest.getInt());
			case UINT64 -> json.writeNumber(Long.toUnsignedString(this.rest.getLong()));
			case INT64 -> json.writeNumber(this.rest.getLong());
			case FP32 -> json.writeNumber(this.rest.getFloat());
			case FP64 -> json.writeNumber(this.rest.getDouble());
			case BYTES -> bytes(json);
			case FP16, BF16 -> throw new IllegalStateException("%s in JSON. This is a bug.".formatted(this.dataType));
		}
	}

	private void bytes(JsonGenerator json) {
		byte[] bytes = next(this.rest);
		if (isAscii(bytes)) {
			json.writeUTF8String(bytes, 0, bytes.length);
			return;
		}
		String text = text(bytes);
		if (text != null) {
			json.writeString(text);
			return;
		}
		json.writeStartObject();
		json.writeStringProperty("b64", Base64.getEncoder().encodeToString(bytes));
		json.writeEndObject();
	}

	private static byte[] next(ByteBuffer strings) {
		byte[] bytes = new byte[strings.getInt()];
		strings.get(bytes);
		return bytes;
	}

	private static @Nullable String text(byte[] bytes) {
		try {
			return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
		}
		catch (CharacterCodingException ex) {
			return null;
		}
	}

	private static boolean isAscii(byte[] bytes) {
		for (byte one : bytes) {
			if (one < 0) {
				return false;
			}
		}
		return true;
	}

	private static void requireFinite(String name, double value) {
		if (!Double.isFinite(value)) {
			throw new InvalidRequestException(
					"Output '%s' contains %s, which JSON cannot carry: ask for it as binary data.".formatted(name,
							value));
		}
	}

}
