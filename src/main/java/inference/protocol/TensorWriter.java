package inference.protocol;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

import tools.jackson.core.JsonGenerator;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

/**
 * Writes one tensor as JSON, element by element out of its buffer.
 */
final class TensorWriter {

	// In characters, about as much as a generator keeps before it passes it on
	private static final int PIECE = 8000;

	private final String name;

	private final DataType dataType;

	private final Shape shape;

	private final ByteBuffer rest;

	// Of floating point numbers, of each of which a generator would make a string
	private final StringBuilder text;

	TensorWriter(String name, Tensor tensor) {
		this.name = name;
		this.dataType = tensor.dataType();
		this.shape = tensor.shape();
		this.rest = tensor.contents();
		this.text = new StringBuilder(isFloatingPoint() ? (int) Math.min(PIECE, 4L * this.rest.remaining()) + 32 : 0);
	}

	/** All elements in one array, as the Open Inference Protocol has them. */
	void flat(JsonGenerator json) {
		array(json, this.shape.elements(), false);
	}

	/**
	 * What is left below a dimension, nested, as TensorFlow Serving has it.
	 * @param json where to write
	 * @param depth 0 for the whole tensor, 1 for its next row
	 */
	void nested(JsonGenerator json, int depth) {
		if (depth == this.shape.rank()) {
			element(json, true);
			return;
		}
		if (depth == this.shape.rank() - 1) {
			array(json, this.shape.dimension(depth), true);
			return;
		}
		json.writeStartArray();
		for (long i = 0; i < this.shape.dimension(depth); i++) {
			nested(json, depth + 1);
		}
		json.writeEndArray();
	}

	private void array(JsonGenerator json, long elements, boolean base64) {
		json.writeStartArray();
		if (isFloatingPoint()) {
			numbers(json, elements);
		}
		else {
			for (long i = 0; i < elements; i++) {
				element(json, base64);
			}
		}
		json.writeEndArray();
	}

	private void numbers(JsonGenerator json, long elements) {
		for (long i = 0; i < elements; i++) {
			if (i > 0) {
				this.text.append(',');
			}
			if (this.dataType == DataType.FP32) {
				this.text.append(finite(this.rest.getFloat()));
			}
			else {
				this.text.append(finite(this.rest.getDouble()));
			}
			if (this.text.length() >= PIECE) {
				pass(json);
			}
		}
		json.writeRaw(this.text.toString());
		this.text.setLength(0);
	}

	// Around the generator, which would copy it character by character.
	private void pass(JsonGenerator json) {
		json.flush();
		JsonBody target = (JsonBody) json.streamWriteOutputTarget();
		target.add(this.text.toString().getBytes(StandardCharsets.ISO_8859_1));
		this.text.setLength(0);
	}

	private boolean isFloatingPoint() {
		return this.dataType == DataType.FP32 || this.dataType == DataType.FP64;
	}

	private void element(JsonGenerator json, boolean base64) {
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
			case FP32 -> json.writeNumber(finite(this.rest.getFloat()));
			case FP64 -> json.writeNumber(finite(this.rest.getDouble()));
			case BYTES -> bytes(json, base64);
			case FP16, BF16 ->
				throw RequestException.bad("Output '%s' is %s, which JSON cannot carry: ask for it as binary data."
					.formatted(this.name, this.dataType));
		}
	}

	private void bytes(JsonGenerator json, boolean base64) {
		byte[] bytes = new byte[this.rest.getInt()];
		this.rest.get(bytes);
		if (isAscii(bytes)) {
			json.writeUTF8String(bytes, 0, bytes.length);
			return;
		}
		try {
			json.writeString(StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString());
		}
		catch (CharacterCodingException ex) {
			if (!base64) {
				throw RequestException
					.bad("Output '%s' is not text, which JSON cannot carry: ask for it as binary data."
						.formatted(this.name));
			}
			json.writeStartObject();
			json.writeStringProperty("b64", Base64.getEncoder().encodeToString(bytes));
			json.writeEndObject();
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

	private float finite(float value) {
		return (float) finite((double) value);
	}

	private double finite(double value) {
		if (!Double.isFinite(value)) {
			throw RequestException.bad("Output '%s' contains %s, which JSON cannot carry: ask for it as binary data."
				.formatted(this.name, value));
		}
		return value;
	}

}
