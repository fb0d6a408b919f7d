package inference.codec;

import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import inference.codec.InferenceRequest.BodyFormat;
import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The memory that a request reports while its tensors are read.
 */
class RequestMemoryTests {

	private static final Signature SIGNATURE = new Signature(
			List.of(new TensorSpec("x", DataType.FP32, Shape.of(Shape.VARIABLE))),
			List.of(new TensorSpec("y", DataType.FP32, Shape.of(Shape.VARIABLE))));

	@ParameterizedTest
	@ValueSource(ints = { 1, 64, 100, 10_000 })
	void reportsAtLeastTheBytesOfTheTensors(int count) {
		AtomicLong reportedBytes = new AtomicLong();
		String row = IntStream.range(0, count).mapToObj(Integer::toString).collect(Collectors.joining(","));
		InferenceRequest request = new RequestReader(SIGNATURE, EnumSet.allOf(BodyFormat.class),
				reportedBytes::addAndGet)
			.read("{\"inputs\":[%s]}".formatted(row).getBytes(UTF_8), null);
		assertThat(reportedBytes.get()).isGreaterThanOrEqualTo(Tensor.totalBytes(request.inputs().values()));
	}

	@ParameterizedTest
	@EnumSource(names = { "FP32", "BYTES" })
	void refusesLongStringsThatAreNoTexts(DataType inputType) {
		String longText = "a".repeat(1001);
		for (String member : List.of("\"id\":\"%s\"", "\"signature_name\":\"%s\"", "\"parameters\":{\"a\":\"%s\"}")) {
			assertThatExceptionOfType(InvalidRequestException.class)
				.isThrownBy(() -> read(inputType, "{%s}".formatted(member.formatted(longText))))
				.withMessageContaining("1000");
		}
	}

	@Test
	void refusesALongStringIfTheModelTakesNoTexts() {
		assertThatExceptionOfType(InvalidRequestException.class)
			.isThrownBy(() -> read(DataType.FP32, "{\"inputs\":[\"%s\"]}".formatted("a".repeat(1001))))
			.withMessage(
					"The body is not JSON as expected: String value length (1001) exceeds the maximum allowed (1000).");
	}

	private static InferenceRequest read(DataType inputType, String body) {
		Signature signature = new Signature(List.of(new TensorSpec("x", inputType, Shape.of(Shape.VARIABLE))),
				SIGNATURE.outputs());
		return new RequestReader(signature, EnumSet.allOf(BodyFormat.class), (_) -> {
		}).read(body.getBytes(UTF_8), null);
	}

}
