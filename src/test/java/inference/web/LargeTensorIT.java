package inference.web;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;

import ai.onnx.proto.OnnxMl.TensorProto;
import com.sun.management.ThreadMXBean;
import jakarta.servlet.ReadListener;
import jakarta.servlet.Servlet;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletInputStream;
import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.WriteListener;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;

import inference.Server;
import inference.model.DataType;
import inference.model.ModelProperties;
import inference.model.OnnxFiles;
import inference.model.OnnxModel;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Measures a request of a million numbers, as JSON and as binary data, against the model
 * alone.
 */
@Isolated
class LargeTensorIT {

	private static final int ELEMENT_COUNT = 1_000_000;

	private static final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();

	private static OnnxModel model;

	private static Server server;

	private static Servlet servlet;

	@BeforeAll
	static void start(@TempDir Path directory) throws IOException {
		Path file = directory.resolve("model.onnx");
		Files.write(file, OnnxFiles.identity(TensorProto.DataType.FLOAT, -1));
		ModelProperties properties = new ModelProperties("m", "1", file.toString(), 1, "cpu", List.of(), List.of());
		model = new OnnxModel(properties);
		server = Server.ready(() -> new OnnxModel(properties), "inference.request.max-size=64MB");
		servlet = Objects
			.requireNonNull(server.context().getBean("predictionServlet", ServletRegistrationBean.class).getServlet());
	}

	@AfterAll
	static void stop() {
		server.close();
		model.close();
	}

	@Test
	void answersBinaryDataInLessThanFourTimesTheModelsOwnTime() throws Exception {
		float[] values = new float[ELEMENT_COUNT];
		Random random = new Random(1);
		for (int i = 0; i < ELEMENT_COUNT; i++) {
			values[i] = random.nextFloat();
		}
		byte[] bytes = new byte[Float.BYTES * ELEMENT_COUNT];
		ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
		Request raw = new Request(bytes, "0");
		Request binary = Request.of("""
				{"parameters":{"binary_data_output":true},"inputs":[{"name":"x","shape":[%d],"datatype":"FP32",\
				"parameters":{"binary_data_size":%d}}]}""".formatted(ELEMENT_COUNT, bytes.length), bytes);
		Request json = new Request("""
				{"inputs":[{"name":"x","shape":[%d],"datatype":"FP32","data":%s}]}"""
			.formatted(ELEMENT_COUNT, Arrays.toString(values))
			.getBytes(StandardCharsets.UTF_8), null);
		byte[] sink = new byte[bytes.length];
		Callable<Object> modelAndCopy = () -> {
			ByteBuffer input = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
			Tensor output = model.infer(Map.of("x", Tensor.of(DataType.FP32, Shape.of(ELEMENT_COUNT), input))).get("y");
			return Objects.requireNonNull(output).contents().get(sink);
		};
		// Both are measured in turns, because memory costs ten times as much while the
		// process still has to request it from the system.
		double[] ratios = new double[60];
		for (int i = 0; i < ratios.length; i++) {
			long start = System.nanoTime();
			modelAndCopy.call();
			long middle = System.nanoTime();
			binary.serve();
			ratios[i] = (double) (System.nanoTime() - middle) / (middle - start);
		}
		Arrays.sort(ratios);
		Cost modelCost = Cost.of("the model and a copy in", 60, modelAndCopy);
		Cost binaryCost = Cost.of("as bytes", 60, () -> binary.serve());
		Cost.of("as raw bytes", 60, () -> raw.serve());
		Cost.of("as JSON", 8, () -> json.serve());
		try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
			Cost.of("as bytes over HTTP, the client's part included", 20, () -> binary.send(client));
			Cost.of("as JSON over HTTP, the client's part included", 4, () -> json.send(client));
		}
		assertThat(ratios[ratios.length / 2]).as("time as bytes to the model's own").isLessThan(4);
		assertThat(binaryCost.heapBytes()).isLessThan(modelCost.heapBytes() + bytes.length);
	}

	private record Cost(long heapBytes) {

		static Cost of(String label, int runCount, Callable<Object> action) throws Exception {
			long[] nanos = new long[runCount];
			long[] heapBytes = new long[runCount];
			for (int i = 0; i < runCount; i++) {
				long allocated = threads.getCurrentThreadAllocatedBytes();
				long start = System.nanoTime();
				action.call();
				nanos[i] = System.nanoTime() - start;
				heapBytes[i] = threads.getCurrentThreadAllocatedBytes() - allocated;
			}
			Arrays.sort(nanos);
			Arrays.sort(heapBytes);
			System.out.printf("1M FP32 %s: best %.1f ms, median %.1f ms, %,d KB of heap%n", label, nanos[0] / 1e6,
					nanos[runCount / 2] / 1e6, heapBytes[runCount / 2] / 1024);
			return new Cost(heapBytes[runCount / 2]);
		}

	}

	@SuppressWarnings("ArrayRecordComponent") // nobody compares requests
	private record Request(byte[] body, @Nullable String jsonLength) {

		static Request of(String json, byte[] tail) {
			byte[] text = json.getBytes(StandardCharsets.UTF_8);
			byte[] body = Arrays.copyOf(text, text.length + tail.length);
			System.arraycopy(tail, 0, body, text.length, tail.length);
			return new Request(body, Integer.toString(text.length));
		}

		Object send(HttpClient client) throws IOException, InterruptedException {
			HttpRequest.Builder request = HttpRequest
				.newBuilder(URI.create("http://localhost:%d/v2/models/m/infer".formatted(server.port())))
				.POST(BodyPublishers.ofByteArray(this.body));
			if (this.jsonLength != null) {
				request.header(Conformance.JSON_LENGTH, this.jsonLength);
			}
			HttpResponse<byte[]> response = client.send(request.build(), BodyHandlers.ofByteArray());
			assertThat(response.statusCode()).isEqualTo(200);
			return response.body();
		}

		/** Calls the servlet as Tomcat does, but without a socket. */
		Object serve() throws IOException, ServletException {
			ByteBuffer unreadBytes = ByteBuffer.wrap(this.body);
			MockHttpServletRequest request = new MockHttpServletRequest("POST", "/v2/models/m/infer") {
				@Override
				public long getContentLengthLong() {
					return Request.this.body.length;
				}

				@Override
				public ServletInputStream getInputStream() {
					return new Source(unreadBytes);
				}
			};
			request.setServletPath("/v2/models/m/infer");
			if (this.jsonLength != null) {
				request.addHeader(Conformance.JSON_LENGTH, this.jsonLength);
			}
			Sink sink = new Sink();
			MockHttpServletResponse response = new MockHttpServletResponse() {
				@Override
				public ServletOutputStream getOutputStream() {
					return sink;
				}
			};
			servlet.service(request, response);
			assertThat(response.getStatus()).isEqualTo(200);
			return response;
		}

	}

	private static final class Source extends ServletInputStream {

		private final ByteBuffer unreadBytes;

		private Source(ByteBuffer unreadBytes) {
			this.unreadBytes = unreadBytes;
		}

		@Override
		public int read() {
			return this.unreadBytes.hasRemaining() ? this.unreadBytes.get() & 0xFF : -1;
		}

		@Override
		public int read(byte[] target, int offset, int count) {
			int read = Math.min(Math.min(count, 8192), this.unreadBytes.remaining());
			this.unreadBytes.get(target, offset, read);
			return (read > 0) ? read : -1;
		}

		@Override
		public boolean isFinished() {
			return !this.unreadBytes.hasRemaining();
		}

		@Override
		public boolean isReady() {
			return true;
		}

		@Override
		public void setReadListener(ReadListener listener) {
			throw new UnsupportedOperationException();
		}

	}

	private static final class Sink extends ServletOutputStream {

		private final byte[] chunk = new byte[8192];

		@Override
		public void write(int value) {
			this.chunk[0] = (byte) value;
		}

		@Override
		public void write(byte[] source, int offset, int count) {
			for (int done = 0; done < count; done += this.chunk.length) {
				System.arraycopy(source, offset + done, this.chunk, 0, Math.min(this.chunk.length, count - done));
			}
		}

		@Override
		public boolean isReady() {
			return true;
		}

		@Override
		public void setWriteListener(WriteListener listener) {
			throw new UnsupportedOperationException();
		}

	}

}
