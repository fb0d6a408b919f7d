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
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class TensorWriterTests {

	private final JsonMapper mapper = JsonMapper.shared();

	private final Random random = new Random(1);

	@ParameterizedTest
	@EnumSource(names = { "FP32", "FP64" })
	void writesEveryNumberOfManySoThatItIsReadAsTheSame(DataType dataType) {
		for (int columns : new int[] { 0, 1, 31, 32, 33, 5000 }) {
			Tensor numbers = numbers(dataType, Shape.of(3, columns));
			String flat = written(numbers, TensorWriter::flat);
			assertThat(read(dataType, "[" + flat + "]", Shape.of(1, 3L * columns)).contents())
				.isEqualTo(numbers.contents());
			String nested = written(numbers, (writer, json) -> writer.nested(json, 0));
			assertThat(read(dataType, nested, numbers.shape()).contents()).isEqualTo(numbers.contents());
		}
	}

	@Test
	void writesEachRowOfManyNumbersByItself() {
		Tensor numbers = numbers(DataType.FP32, Shape.of(2, 100));
		TensorWriter rows = new TensorWriter(numbers);
		String both = written((json) -> {
			json.writeStartArray();
			rows.nested(json, 1);
			rows.nested(json, 1);
			json.writeEndArray();
		});
		assertThat(read(DataType.FP32, both, numbers.shape()).contents()).isEqualTo(numbers.contents());
	}

	@Test
	void escapesCharactersThatJsonForbids() {
		List<String> texts = List.of("", "a", "\"\\/", "\u0000\b\n\u001f\u007f", "é\"\n", "\uD83D\uDE00",
				"\"".repeat(9000));
		String written = written(Tensor.ofStrings(Shape.of(texts.size()), texts), TensorWriter::flat);
		assertThat(this.mapper.readTree(written).valueStream().map(JsonNode::stringValue)).isEqualTo(texts);
	}

	@ParameterizedTest
	@ValueSource(ints = { 0, 2500, 4999 })
	void saysBeforeItWritesWhatJsonCannotCarry(int place) {
		float[] values = new float[5000];
		values[place] = Float.NEGATIVE_INFINITY;
		Tensor tensor = Tensor.ofFloats(Shape.of(values.length), values);
		assertThatExceptionOfType(InvalidRequestException.class)
			.isThrownBy(() -> TensorWriter.requireJson("y", tensor, true))
			.withMessageContaining("'y' contains -Infinity");
	}

	private Tensor numbers(DataType dataType, Shape shape) {
		int elements = (int) shape.elements();
		var contents = Json.buffer(elements * dataType.width());
		while (contents.hasRemaining()) {
			switch (dataType) {
				case FP32 -> contents.putFloat(finite(Float.intBitsToFloat(this.random.nextInt())));
				default -> contents.putDouble(finite(Double.longBitsToDouble(this.random.nextLong())));
			}
		}
		return Tensor.of(dataType, shape, contents.flip());
	}

	private Tensor read(DataType dataType, String json, Shape shape) {
		var contents = Json.buffer((int) shape.elements() * dataType.width());
		JsonNode rows = this.mapper.readTree(json);
		assertThat(rows.size()).isEqualTo((int) shape.dimension(0));
		for (var row : rows) {
			assertThat(row.size()).isEqualTo((int) shape.dimension(1));
			for (var number : row) {
				switch (dataType) {
					case FP32 -> contents.putFloat(Float.parseFloat(number.asString()));
					default -> contents.putDouble(Double.parseDouble(number.asString()));
				}
			}
		}
		return Tensor.of(dataType, shape, contents.flip());
	}

	private static String written(Tensor tensor, BiConsumer<TensorWriter, JsonGenerator> how) {
		return written((json) -> how.accept(new TensorWriter(tensor), json));
	}

	private static String written(Consumer<JsonGenerator> how) {
		var bytes = new ByteArrayOutputStream();
		try (JsonGenerator json = Json.generator(bytes)) {
			how.accept(json);
		}
		return bytes.toString(StandardCharsets.UTF_8);
	}

	private static float finite(float value) {
		return Float.isFinite(value) ? value : 0;
	}

	private static double finite(double value) {
		return Double.isFinite(value) ? value : 0;
	}

}
