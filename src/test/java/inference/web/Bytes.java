package inference.web;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.GZIPOutputStream;

import inference.model.DataType;

/**
 * Converts a body of the conformance files to bytes. The body is a text, or a list of
 * texts and maps. A map has a data type as its key, and as its value a list of numbers or
 * texts that are sent in binary. With the key {@code hex}, the value is bytes in
 * hexadecimal; with {@code spaces}, it is a number of spaces.
 */
final class Bytes {

	private Bytes() {
	}

	static byte[] of(Object body) {
		if (body instanceof List<?> parts) {
			ByteArrayOutputStream bytes = new ByteArrayOutputStream();
			parts.forEach((part) -> bytes.writeBytes(of(part)));
			return bytes.toByteArray();
		}
		if (body instanceof Map<?, ?> part) {
			Map.Entry<?, ?> typed = part.entrySet().iterator().next();
			return of((String) typed.getKey(), Objects.requireNonNull(typed.getValue()));
		}
		return ((String) body).getBytes(StandardCharsets.UTF_8);
	}

	static byte[] gzip(byte[] bytes) {
		ByteArrayOutputStream compressed = new ByteArrayOutputStream();
		try (GZIPOutputStream gzip = new GZIPOutputStream(compressed)) {
			gzip.write(bytes);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return compressed.toByteArray();
	}

	private static byte[] of(String type, Object value) {
		return switch (type) {
			case "hex" -> HexFormat.of().parseHex(((String) value).replace(" ", ""));
			case "spaces" -> " ".repeat((Integer) value).getBytes(StandardCharsets.US_ASCII);
			default -> {
				ByteArrayOutputStream bytes = new ByteArrayOutputStream();
				for (Object element : (List<?>) value) {
					bytes.writeBytes(element(DataType.valueOf(type), Objects.requireNonNull(element)));
				}
				yield bytes.toByteArray();
			}
		};
	}

	private static byte[] element(DataType dataType, Object value) {
		if (dataType == DataType.BYTES) {
			byte[] text = (value instanceof byte[] binary) ? binary : of(value);
			return ByteBuffer.allocate(4 + text.length)
				.order(ByteOrder.LITTLE_ENDIAN)
				.putInt(text.length)
				.put(text)
				.array();
		}
		Number number = (Number) value;
		long bits = switch (dataType) {
			case FP32 -> Float.floatToIntBits(number.floatValue());
			case FP64 -> Double.doubleToLongBits(number.doubleValue());
			default -> number.longValue();
		};
		byte[] element = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(bits).array();
		return Arrays.copyOf(element, dataType.width());
	}

}
