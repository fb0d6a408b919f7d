package inference.web;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;

import com.sun.management.ThreadMXBean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.web.server.ResponseStatusException;

import inference.admission.Admissions;
import inference.codec.InvalidRequestException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.junit.jupiter.api.Assertions.assertTimeout;

class RequestBodyTests {

	private static final int MAX_BODY_BYTES = 1024 * 1024;

	private static final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

	@ParameterizedTest
	@ValueSource(ints = { 0, 1, 16 * 1024, 16 * 1024 + 1, 300_000, MAX_BODY_BYTES })
	void readsEveryByte(int size) throws IOException {
		byte[] sent = random(size);
		assertThat(read(request(sent, true))).isEqualTo(sent);
		assertThat(read(request(sent, false))).isEqualTo(sent);
		assertThat(read(gzipped(new byte[size]))).isEqualTo(new byte[size]);
	}

	@Test
	void refusesOneByteMoreThanTheLimit() {
		byte[] sent = random(MAX_BODY_BYTES + 1);
		assertTooLarge(request(sent, true));
		assertTooLarge(request(sent, false));
		assertTooLarge(gzipped(sent));
	}

	@Test
	void allocatesLittleBeforeTheBodyArrives() throws IOException {
		MockHttpServletRequest request = new MockHttpServletRequest() {
			@Override
			public long getContentLengthLong() {
				return MAX_BODY_BYTES;
			}
		};
		// The minimum of many runs counts, because the JVM itself allocates at first.
		long minAllocatedBytes = Long.MAX_VALUE;
		for (int i = 0; i < 20; i++) {
			request.setContent(new byte[1]);
			long before = threads.getCurrentThreadAllocatedBytes();
			byte[] body = read(request);
			minAllocatedBytes = Math.min(minAllocatedBytes, threads.getCurrentThreadAllocatedBytes() - before);
			assertThat(body).hasSize(1);
		}
		assertThat(minAllocatedBytes).isLessThan(64 * 1024);
	}

	@Test
	void stopsDecompressingAtTheLimit() {
		MockHttpServletRequest request = gzipped(new byte[100 * MAX_BODY_BYTES]);
		long before = threads.getCurrentThreadAllocatedBytes();
		assertTimeout(Duration.ofSeconds(2), () -> assertTooLarge(request));
		assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(4L * MAX_BODY_BYTES);
	}

	@Test
	void refusesATruncatedCompressedBody() {
		byte[] whole = Bytes.gzip(random(2000));
		for (int end = 0; end < whole.length; end++) {
			MockHttpServletRequest truncated = request(Arrays.copyOf(whole, end), true);
			truncated.addHeader("Content-Encoding", "gzip");
			assertThatExceptionOfType(InvalidRequestException.class).as("cut at " + end)
				.isThrownBy(() -> read(truncated));
		}
	}

	@Test
	void refusesABodyOfManyEmptyGzipMembers() {
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		byte[] emptyMember = Bytes.gzip(new byte[0]);
		while (body.size() + emptyMember.length <= MAX_BODY_BYTES) {
			body.writeBytes(emptyMember);
		}
		MockHttpServletRequest request = request(body.toByteArray(), true);
		request.addHeader("Content-Encoding", "gzip");
		assertThatExceptionOfType(InvalidRequestException.class).isThrownBy(() -> read(request));
	}

	private void assertTooLarge(MockHttpServletRequest request) {
		assertThatExceptionOfType(ResponseStatusException.class).isThrownBy(() -> read(request))
			.satisfies((ex) -> assertThat(ex.getStatusCode().value()).isEqualTo(413));
	}

	private byte[] read(MockHttpServletRequest request) throws IOException {
		return new RequestBody(request, MAX_BODY_BYTES, Admissions.reservation()).readDecompressed();
	}

	private static byte[] random(int size) {
		byte[] bytes = new byte[size];
		new Random(1).nextBytes(bytes);
		return bytes;
	}

	private static MockHttpServletRequest gzipped(byte[] content) {
		MockHttpServletRequest request = request(Bytes.gzip(content), true);
		request.addHeader("Content-Encoding", "gzip");
		return request;
	}

	private static MockHttpServletRequest request(byte[] content, boolean lengthKnown) {
		MockHttpServletRequest request = new MockHttpServletRequest() {
			@Override
			public long getContentLengthLong() {
				return lengthKnown ? super.getContentLengthLong() : -1;
			}
		};
		request.setContent(content);
		return request;
	}

}
