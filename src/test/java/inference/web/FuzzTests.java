package inference.web;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;

import com.sun.management.ThreadMXBean;
import jakarta.servlet.Servlet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

import inference.ErrorBody;
import inference.Server;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Valid requests with random mutations. The server must answer every request without a
 * server error, and without allocating more than a valid request needs.
 */
class FuzzTests {

	private static final int REQUEST_COUNT = 2_000;

	private static final int MAX_BODY_BYTES = 64 * 1024;

	private static final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

	private static final List<Seed> seeds = Conformance.all()
		.values()
		.stream()
		.flatMap(List::stream)
		.filter((conformance) -> !"not yet loaded".equals(conformance.yaml().get("model")))
		.map((conformance) -> new Seed(conformance, conformance.body()))
		.toList();

	private static final Server server = Server.shared();

	@ParameterizedTest
	@ValueSource(longs = { 1, 2 })
	void answersMutatedRequestsWithoutAServerError(long seed) throws Exception {
		Servlet servlet = Objects
			.requireNonNull(server.context().getBean("predictionServlet", ServletRegistrationBean.class).getServlet());
		Random random = new Random(seed);
		long maxAllocatedBytes = 0;
		for (int i = 0; i < REQUEST_COUNT; i++) {
			Seed origin = seeds.get(random.nextInt(seeds.size()));
			server.swap(origin.request().model());
			Mutant mutant = Mutant.of(origin, random);
			long before = threads.getCurrentThreadAllocatedBytes();
			MockHttpServletResponse response = new MockHttpServletResponse();
			servlet.service(mutant.toServlet(), response);
			maxAllocatedBytes = Math.max(maxAllocatedBytes, threads.getCurrentThreadAllocatedBytes() - before);
			assertNoServerError(mutant.toString(), response.getStatus(), response.getContentAsByteArray(),
					response.getHeader(Conformance.JSON_LENGTH));
		}
		assertThat(maxAllocatedBytes).as("bytes allocated for one request").isLessThan(40L * MAX_BODY_BYTES);
	}

	@Test
	void answersMutatedRequestsOverHttpWithoutAServerError() throws Exception {
		Random random = new Random(5);
		int answered = 0;
		for (int i = 0; i < 300; i++) {
			Seed origin = seeds.get(random.nextInt(seeds.size()));
			server.swap(origin.request().model());
			Mutant mutant = Mutant.of(origin, random);
			byte[] request = (random.nextInt(3) == 0) ? Mutant.mutate(mutant.toHttp(), random) : mutant.toHttp();
			String answer = send(request);
			// A mutated request line may be HTTP 0.9, whose answer has no status, or may
			// not be HTTP.
			if (answer.startsWith("HTTP/1.1 ")) {
				answered++;
				boolean isUnsupported = answer.startsWith("501", 9) || answer.startsWith("505", 9);
				assertThat(!answer.startsWith("5", 9) || isUnsupported || isAllowed(mutant.toString(), answer))
					.as("%s got %s".formatted(mutant, answer))
					.isTrue();
			}
		}
		assertThat(answered).isGreaterThan(240);
		server.request().get("/readyz").then().statusCode(200);
	}

	private static void assertNoServerError(String request, int status, byte[] body, @Nullable String jsonLength) {
		int length = (jsonLength != null) ? Integer.parseInt(jsonLength) : body.length;
		JsonNode json = Conformance.JSON.readTree(Arrays.copyOf(body, length));
		if (status != 200) {
			assertThat(json.path(ErrorBody.SENTENCE).isString()).as(request).isTrue();
			assertThat(status < 500 || isAllowed(request, json.toString()))
				.as("%s got %d %s".formatted(request, status, json))
				.isTrue();
		}
	}

	// The model fails if an input is 500.
	private static boolean isAllowed(String request, String failure) {
		return (request.contains("500") && failure.contains("The model failed. "))
				|| failure.contains("is not UTF-8 text, so JSON cannot carry it");
	}

	private static String send(byte[] request) throws IOException {
		try (Socket socket = new Socket("localhost", server.port())) {
			socket.setSoTimeout(10_000);
			socket.getOutputStream().write(request);
			socket.shutdownOutput();
			return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
		}
		catch (SocketTimeoutException ex) {
			throw new AssertionError("no answer to " + new String(request, StandardCharsets.ISO_8859_1), ex);
		}
		catch (SocketException ex) {
			// The server closed the connection before the whole request was sent.
			return "";
		}
	}

	@SuppressWarnings("ArrayRecordComponent") // nobody compares requests
	private record Seed(Conformance request, byte[] body) {
	}

	/**
	 * A request with its mutations.
	 *
	 * @param isLengthStated whether the length is stated
	 */
	@SuppressWarnings("ArrayRecordComponent") // nobody compares requests
	private record Mutant(String method, String path, Map<String, String> headers, byte[] body,
			boolean isLengthStated) {

		private static final String[] TOKENS = { "[", "]", "{", "}", "\"", ",", ":", "null", "true", "-1", "1e999",
				"9223372036854775807", "18446744073709551616", "2147483648", "\\ud800", "\"b64\"", "\"shape\"",
				"\"data\"", "\"inputs\"", "\"instances\"", "\"binary_data_size\"", "0", "\u0000", "\u00ff" };

		static Mutant of(Seed origin, Random random) {
			Map<String, String> headers = new LinkedHashMap<>(origin.request().headers());
			byte[] body = origin.body();
			if (random.nextInt(4) == 0) {
				String[] values = { "0", "1", "-1", "2147483647", "99999999999", "x", "", "65536", "100",
						Integer.toString(body.length), Integer.toString(random.nextInt(body.length + 1)) };
				headers.put(Conformance.JSON_LENGTH, values[random.nextInt(values.length)]);
			}
			if (random.nextInt(10) == 0) {
				headers.put("Content-Encoding", random.nextBoolean() ? "gzip" : "identity");
			}
			if (random.nextInt(10) == 0) {
				headers.remove(Conformance.JSON_LENGTH);
			}
			for (int i = random.nextInt(4); i > 0; i--) {
				body = mutate(body, random);
			}
			Seed address = (random.nextInt(10) == 0) ? seeds.get(random.nextInt(seeds.size())) : origin;
			return new Mutant(address.request().method(), address.request().path(), headers, body,
					random.nextBoolean());
		}

		static byte[] mutate(byte[] bytes, Random random) {
			int from = random.nextInt(bytes.length + 1);
			int to = from + random.nextInt(Math.min(40, bytes.length + 1 - from));
			return switch (random.nextInt(6)) {
				case 0 -> {
					byte[] flipped = bytes.clone();
					if (from < bytes.length) {
						flipped[from] ^= (byte) (1 << random.nextInt(8));
					}
					yield flipped;
				}
				case 1 -> Arrays.copyOf(bytes, from);
				case 2 -> joined(bytes, 0, to, bytes, from, bytes.length);
				case 3 -> joined(bytes, 0, from, bytes, to, bytes.length);
				case 4 -> {
					byte[] token = TOKENS[random.nextInt(TOKENS.length)].getBytes(StandardCharsets.UTF_8);
					byte[] head = joined(bytes, 0, from, token, 0, token.length);
					yield joined(head, 0, head.length, bytes, to, bytes.length);
				}
				default -> {
					byte[] other = seeds.get(random.nextInt(seeds.size())).body();
					yield joined(bytes, 0, from, other, Math.min(from, other.length), other.length);
				}
			};
		}

		MockHttpServletRequest toServlet() {
			boolean isStated = this.isLengthStated;
			MockHttpServletRequest request = new MockHttpServletRequest(this.method, this.path) {
				@Override
				public long getContentLengthLong() {
					return isStated ? super.getContentLengthLong() : -1;
				}
			};
			request.setServletPath(this.path);
			request.setContent(this.body);
			this.headers.forEach(request::addHeader);
			if (!isStated) {
				request.addHeader("Transfer-Encoding", "chunked");
			}
			return request;
		}

		byte[] toHttp() {
			List<String> lines = new ArrayList<>(List.of("%s %s HTTP/1.1".formatted(this.method, this.path),
					"Host: localhost", "Connection: close"));
			this.headers.forEach((name, value) -> lines.add(name + ": " + value));
			ByteArrayOutputStream request = new ByteArrayOutputStream();
			lines.add(this.isLengthStated ? "Content-Length: " + this.body.length : "Transfer-Encoding: chunked");
			request.writeBytes((String.join("\r\n", lines) + "\r\n\r\n").getBytes(StandardCharsets.UTF_8));
			if (this.isLengthStated) {
				request.writeBytes(this.body);
			}
			else if (this.body.length > 0) {
				request.writeBytes((Integer.toHexString(this.body.length) + "\r\n").getBytes(StandardCharsets.UTF_8));
				request.writeBytes(this.body);
				request.writeBytes("\r\n0\r\n\r\n".getBytes(StandardCharsets.UTF_8));
			}
			else {
				request.writeBytes("0\r\n\r\n".getBytes(StandardCharsets.UTF_8));
			}
			return request.toByteArray();
		}

		private static byte[] joined(byte[] first, int start, int end, byte[] second, int from, int to) {
			ByteArrayOutputStream joined = new ByteArrayOutputStream();
			joined.write(first, start, end - start);
			joined.write(second, from, to - from);
			return joined.toByteArray();
		}

		@Override
		public String toString() {
			return "%s %s %s %s".formatted(this.method, this.path, this.headers,
					new String(this.body, 0, Math.min(this.body.length, 2000), StandardCharsets.ISO_8859_1));
		}

	}

}
