package inference.codec;

import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.codec.InferenceRequest.BodyFormat;
import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

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

}
