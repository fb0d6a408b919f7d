package inference.codec;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
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
