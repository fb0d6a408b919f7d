package bench;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * A tensor that a client sends: the same row, so many times.
 *
 * @param count how many rows
 * @param elements of a row: all {@link Float} or all {@link Long}
 */
record Input(String name, int count, List<? extends Number> elements) {

	static List<Input> flowers(int rows) {
		return List.of(new Input("input-0", rows, List.of(6.8f, 2.8f, 4.8f, 1.4f)));
	}

	/** So many texts, each of so many tokens, as BERT's models take them. */
	static List<Input> texts(int count, int tokens) {
		List<Long> ids = LongStream.range(0, tokens).mapToObj((token) -> 2000 + token).toList();
		return List.of(new Input("input_ids", count, ids),
				new Input("attention_mask", count, Collections.nCopies(tokens, 1L)),
				new Input("token_type_ids", count, Collections.nCopies(tokens, 0L)));
	}

	boolean isFloats() {
		return this.elements.getFirst() instanceof Float;
	}

	long[] shape() {
		return new long[] { this.count, this.elements.size() };
	}

	/** The contents, little-endian. */
	ByteBuffer bytes() {
		int width = isFloats() ? Float.BYTES : Long.BYTES;
		ByteBuffer row = ByteBuffer.allocate(this.elements.size() * width).order(ByteOrder.LITTLE_ENDIAN);
		for (Number element : this.elements) {
			if (isFloats()) {
				row.putFloat(element.floatValue());
			}
			else {
				row.putLong(element.longValue());
			}
		}
		ByteBuffer bytes = ByteBuffer.allocateDirect(this.count * row.capacity()).order(ByteOrder.LITTLE_ENDIAN);
		for (int i = 0; i < this.count; i++) {
			bytes.put(row.rewind());
		}
		return bytes.flip();
	}

	/** All rows, each between the two. */
	String rows(String open, String close) {
		String row = this.elements.stream().map(String::valueOf).collect(Collectors.joining(",", open, close));
		return String.join(",", Collections.nCopies(this.count, row));
	}

	String oip() {
		return oip("\"data\":[" + rows("", "") + "]");
	}

	String oipBinary() {
		return oip("\"parameters\":{\"binary_data_size\":" + bytes().remaining() + "}");
	}

	private String oip(String contents) {
		return "{\"name\":\"%s\",\"shape\":[%d,%d],\"datatype\":\"%s\",%s}".formatted(this.name, this.count,
				this.elements.size(), isFloats() ? "FP32" : "INT64", contents);
	}

}
