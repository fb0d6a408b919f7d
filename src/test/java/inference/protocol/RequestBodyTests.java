package inference.protocol;

import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Collectors;

import com.sun.management.ThreadMXBean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeout;

/**
 * What a body costs that is not what it says: no more than what has come of it.
 */
class RequestBodyTests {

	private static final long LARGE = 500_000_000;

	private static final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

	private static final BufferPoolMXBean buffers = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)
		.stream()
		.filter((pool) -> pool.getName().equals("direct"))
		.findFirst()
		.orElseThrow();

	@BeforeAll
	static void loadClasses() {
		Wire.Request request = new Wire.Request("{\"inputs\":[{\"name\":\"x\"}]}".getBytes(StandardCharsets.UTF_8), "1",
				null, true);
		Cost.of(DataType.FP32, request, LARGE);
		Cost.of(DataType.FP32, request.compressed(), LARGE);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', nullValues = "none", quoteCharacter = '~',
			textBlock = """
					FP32  | none      | 400 | {"inputs":[{"name":"x","shape":[2147483647,1],"datatype":"FP32","data":[1]}]}
					FP32  | none      | 400 | {"inputs":[{"name":"x","shape":[1,2147483647],"datatype":"FP32","data":[1]}]}
					FP32  | none      | 400 | {"inputs":[{"data":[1],"name":"x","shape":[100000000,1],"datatype":"FP32"}]}
					FP32  | all       | 400 | {"inputs":[{"name":"x","shape":[100000000,1],"datatype":"FP32","parameters":{"binary_data_size":400000000}}]}
					BYTES | all       | 400 | {"inputs":[{"name":"x","shape":[100000000,1],"datatype":"BYTES","parameters":{"binary_data_size":400000000}}]}
					BYTES | all       | 413 | {"inputs":[{"name":"x","shape":[100000000,1],"datatype":"BYTES","parameters":{"binary_data_size":900000000}}]}
					FP32  | 400000000 | 400 | {"inputs":[]}
					FP32  | 900000000 | 413 | {"inputs":[]}
					""")
	void promisesTakeNoMemory(DataType dataType, @Nullable String header, int status, String json) {
		String jsonLength = "all".equals(header) ? Integer.toString(json.length()) : header;
		for (boolean known : List.of(true, false)) {
			Wire.Request request = new Wire.Request(json.getBytes(StandardCharsets.UTF_8), jsonLength, null, known);
			for (Wire.Request sent : List.of(request, request.compressed())) {
				Cost cost = Cost.of(dataType, sent, LARGE);
				assertThat(cost.response().status()).as(new String(cost.response().json(), StandardCharsets.UTF_8))
					.isIn(status, known ? 400 : status);
				assertThat(cost.heap()).isLessThan(512 * 1024);
				assertThat(cost.direct()).isLessThan(512 * 1024);
			}
		}
	}

	@Test
	void aBombIsRefusedAtTheLimit() {
		byte[] spaces = new byte[100_000_000];
		Arrays.fill(spaces, (byte) ' ');
		for (String jsonLength : Arrays.asList(null, "0", "100000000")) {
			Wire.Request bomb = new Wire.Request(spaces, jsonLength, null, false).compressed();
			Cost cost = assertTimeout(Duration.ofSeconds(2), () -> Cost.of(DataType.UINT8, bomb, Wire.LIMIT));
			assertThat(cost.response().status()).isEqualTo(413);
			assertThat(cost.heap()).isLessThan(4 * Wire.LIMIT);
			assertThat(cost.direct()).isLessThan(2 * Wire.LIMIT);
		}
	}

	@Test
	void compressionMayEndNowhereElse() {
		Random random = new Random(1);
		String rows = random.ints(2000).mapToObj("[%d.5,1]"::formatted).collect(Collectors.joining(","));
		Wire.Request whole = new Wire.Request("{\"instances\":[%s]}".formatted(rows).getBytes(StandardCharsets.UTF_8),
				null, null, true)
			.compressed();
		assertThat(exchange(whole).status()).isEqualTo(200);
		for (int end = 0; end < whole.body().length; end++) {
			Wire.Request cut = new Wire.Request(Arrays.copyOf(whole.body(), end), null, "gzip", true);
			assertThat(exchange(cut).status()).as("cut at " + end).isEqualTo(400);
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 1, 64 * 1024, 64 * 1024 + 1, 300_000 })
	void tensorsAreTheirBytesOneAfterTheOther(int size) throws IOException {
		byte[] sent = new byte[2 * size];
		new Random(1).nextBytes(sent);
		RequestBody body = RequestBody.of(sent);
		assertThat(body.tensor(size)).isEqualTo(ByteBuffer.wrap(sent, 0, size));
		assertThat(body.tensor(size)).isEqualTo(ByteBuffer.wrap(sent, size, size));
		assertThat(body.remaining()).isZero();
	}

	private static Wire.Response exchange(Wire.Request request) {
		return Wire.exchange(signature(DataType.FP32), request);
	}

	private static Signature signature(DataType dataType) {
		return new Signature(List.of(new TensorSpec("x", dataType, Shape.of(-1, -1))),
				List.of(new TensorSpec("y", dataType, Shape.of(-1, -1))));
	}

	private record Cost(Wire.Response response, long heap, long direct) {

		static Cost of(DataType dataType, Wire.Request request, long limit) {
			long heap = threads.getCurrentThreadAllocatedBytes();
			long before = buffers.getTotalCapacity();
			Wire.Response response = Wire.exchange(signature(dataType), request, limit);
			return new Cost(response, threads.getCurrentThreadAllocatedBytes() - heap,
					buffers.getTotalCapacity() - before);
		}

	}

}
