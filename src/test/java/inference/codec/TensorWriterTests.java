package inference.codec;

import java.io.ByteArrayOutputStream;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

class TensorWriterTests {

	private final Random random = new Random(1);

	@ParameterizedTest
	@EnumSource(names = { "FP32", "FP64" })
	void writesManyNumbersThatAreReadBackUnchanged(DataType dataType) {
		for (int columns : new int[] { 0, 1, 31, 32, 33, 5000 }) {
			Tensor numbers = numbers(dataType, Shape.of(3, columns));
			assertReadsAs(numbers, written(numbers, (writer, json) -> writer.writeNested(json, 0)));
		}
	}

	@Test
	void writesRowsOneAtATime() {
		Tensor numbers = numbers(DataType.FP32, Shape.of(2, 100));
		TensorWriter rows = new TensorWriter(numbers, List.of());
		assertReadsAs(numbers, written((json) -> {
			json.writeStartArray();
			rows.writeNested(json, 1);
			rows.writeNested(json, 1);
			json.writeEndArray();
		}));
	}

	@Test
	void escapesCharactersThatJsonForbids() {
		List<String> texts = List.of("", "a", "\"\\/", "\u0000\b\n\u001f\u007f", "é\"\n", "\uD83D\uDE00",
				"\"".repeat(9000));
		String written = written(Tensor.ofStrings(Shape.of(texts.size()), texts),
				(writer, json) -> writer.writeNested(json, 0));
		assertThat(Tensors.JSON.readTree(written).valueStream().map(JsonNode::stringValue)).isEqualTo(texts);
	}

	@ParameterizedTest
	@ValueSource(strings = { "a", "é", "\uD83D\uDE00a", "a\n" })
	void writesALongTextWithoutACopy(String part) {
		// The first text loads classes, which allocates memory, too.
		writeAndDiscard(Tensor.ofStrings(Shape.of(1), List.of(part)));
		Tensor text = Tensor.ofStrings(Shape.of(1), List.of(part.repeat(1 << 20)));
		var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
		long before = threads.getCurrentThreadAllocatedBytes();
		writeAndDiscard(text);
		assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(1 << 19);
	}

	private static void writeAndDiscard(Tensor text) {
		assertThat(TensorWriter.hasNonUtf8Bytes(text)).isFalse();
		try (JsonGenerator json = Json.generator(OutputStream.nullOutputStream())) {
			TensorWriter.writeOip(json, "text", text, false);
		}
	}

	@Test
	void writesBytesThatAreNotUtf8AsBase64() {
		for (byte[] bytes : List.of(new byte[] { (byte) 0xff }, new byte[] { 'a', (byte) 0xc3 },
				new byte[] { (byte) 0xed, (byte) 0xa0, (byte) 0x80 })) {
			ByteBuffer contents = ByteBuffer.allocateDirect(4 + bytes.length).order(ByteOrder.LITTLE_ENDIAN);
			contents.putInt(bytes.length).put(bytes).flip();
			Tensor tensor = Tensor.of(DataType.BYTES, Shape.of(1), contents);
			assertThat(TensorWriter.hasNonUtf8Bytes(tensor)).isTrue();
			assertThat(written(tensor, (writer, json) -> writer.writeNested(json, 0)))
				.isEqualTo("[{\"b64\":\"%s\"}]".formatted(Base64.getEncoder().encodeToString(bytes)));
		}
	}

	@Test
	void writesAnObjectIfTheColumnsHaveKeys() {
		TensorWriter rows = new TensorWriter(Tensor.ofFloats(Shape.of(2, 2), 0.25f, 0.75f, Float.NaN, 1),
				List.of("no", "\"yes\""));
		assertThat(written((json) -> rows.writeNested(json, 0)))
			.isEqualTo("[{\"no\":0.25,\"\\\"yes\\\"\":0.75},{\"no\":NaN,\"\\\"yes\\\"\":1.0}]");
	}

	private Tensor numbers(DataType dataType, Shape shape) {
		return Tensors.random(dataType, shape, true, false, this.random);
	}

	private static void assertReadsAs(Tensor numbers, String json) {
		JsonNode rows = Tensors.JSON.readTree(json);
		assertThat(rows.size()).isEqualTo((int) numbers.shape().dimension(0));
		assertThat(rows).allMatch((row) -> row.size() == numbers.shape().dimension(1));
		assertThat(Tensors.read(numbers.dataType(), numbers.shape(), rows).contents()).isEqualTo(numbers.contents());
	}

	private static String written(Tensor tensor, BiConsumer<TensorWriter, JsonGenerator> writeFunction) {
		return written((json) -> writeFunction.accept(new TensorWriter(tensor, List.of()), json));
	}

	private static String written(Consumer<JsonGenerator> writeFunction) {
		var bytes = new ByteArrayOutputStream();
		try (JsonGenerator json = Json.generator(bytes)) {
			writeFunction.accept(json);
		}
		return bytes.toString(StandardCharsets.UTF_8);
	}

}
