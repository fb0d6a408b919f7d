package inference.image;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

import ai.onnx.proto.OnnxMl.TensorProto;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

import inference.model.BundledModel;
import inference.model.ModelClasses;
import inference.model.OnnxFiles;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Loads a container of the least memory with the requests that take the most of it. The
 * kernel kills a container that exceeds its limit.
 */
@EnabledIf("inference.image.Image#isBuilt")
@Isolated
class MemoryIT {

	private static final String ROW = "[5.1,3.5,1.4,0.2]";

	private static final String SMALL = "{\"instances\":[%s]}".formatted(ROW);

	private static final String INFER = "/v2/models/test/infer";

	private static final int ROWS_OF_14_MB = 800_000;

	private static final int ROWS_OF_1_MB = 58_000;

	private final Service service = Service.read();

	private final HttpClient client = HttpClient.newHttpClient();

	@BeforeAll
	static void assumeThatIrisesAreServed() throws Exception {
		ModelClasses.assumeAFileIsServed();
		BundledModel.assumeBundled();
	}

	@Test
	void largeBodiesAndAnswersAreServedOrRefused() throws Exception {
		try (Container container = run()) {
			byte[] body = rows(ROWS_OF_14_MB);
			List<Integer> statuses = ask(2, 6, List.of(() -> post(container, "/", body)));
			assertThat(statuses).isNotEmpty().isSubsetOf(200, 413, 429, 504);
			assertServes(container);
		}
	}

	@Test
	void clientsThatDoNotReadTheirAnswersAreDisconnected() throws Exception {
		try (Container container = run()) {
			byte[] body = rows(ROWS_OF_1_MB);
			List<Socket> clients = new ArrayList<>();
			try {
				for (int i = 0; i < 100; i++) {
					Socket socket = new Socket(container.address(), this.service.port());
					clients.add(socket);
					socket.getOutputStream()
						.write("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n".formatted(body.length)
							.getBytes(StandardCharsets.US_ASCII));
					socket.getOutputStream().write(body);
				}
				assertServes(container);
				await().atMost(Duration.ofSeconds(30)).until(() -> reserved(container) == 0);
			}
			finally {
				for (Socket socket : clients) {
					socket.close();
				}
			}
			assertServes(container);
		}
	}

	@Test
	void aTransformerUnderLoadStaysBelowTheLimit(@TempDir Path directory) throws Exception {
		try (Container container = runTransformer(directory)) {
			byte[] body = tokens(1, 64);
			assertThat(ask(8, 240, List.of(() -> post(container, INFER, body)))).containsOnly(200);
			assertThat(container.running()).isTrue();
		}
	}

	@Test
	void aRequestForWhichTheModelHasNoMemoryIsRefused(@TempDir Path directory) throws Exception {
		try (Container container = runTransformer(directory, "--env", "INFERENCE_ADMISSION_MAXCONCURRENT=4")) {
			byte[] needsOneGigabyte = tokens(100, 256);
			byte[] fitsAlone = tokens(6, 128);
			byte[] small = tokens(1, 16);
			List<Integer> statuses = ask(8, 6, List.of(() -> postWhileBusy(container, needsOneGigabyte),
					() -> postWhileBusy(container, fitsAlone), () -> postWhileBusy(container, small)));
			assertThat(statuses).isEqualTo(repeat(6, List.of(413, 200, 200)));
			assertThat(container.running()).isTrue();
		}
	}

	@Test
	void outputsThatDoNotFitIntoTheHeapAreRefused(@TempDir Path directory) throws Exception {
		try (Container container = runModel(OnnxFiles.zeros(), directory, "--env", "JAVA_TOOL_OPTIONS=-Xmx64m")) {
			for (int size : new int[] { 25_000_000, 100_000_000, 25_000_000 }) {
				assertThat(post(container, INFER, shape(1, size))).isEqualTo(413);
			}
			assertThat(post(container, INFER, shape(1, 1000))).isEqualTo(200);
			assertThat(container.running()).isTrue();
		}
	}

	@Test
	void textsAndMapsThatTakeMuchNativeMemoryAreRefused(@TempDir Path directory) throws Exception {
		byte[] textModel = OnnxFiles.identity(TensorProto.DataType.STRING, -1);
		try (Container container = runModel(textModel, directory)) {
			assertThat(post(container, INFER, tensor("\"shape\":[%d],\"datatype\":\"BYTES\"", 2_000_000, "\"\"")))
				.isEqualTo(413);
			assertThat(post(container, INFER, tensor("\"shape\":[%d],\"datatype\":\"BYTES\"", 100_000, "\"\"")))
				.isEqualTo(200);
		}
		try (Container container = runModel(OnnxFiles.maps("a", "b", "c"), directory)) {
			assertThat(post(container, INFER, tensor("\"shape\":[%d,3],\"datatype\":\"FP32\"", 300_000, "1,2,3")))
				.isEqualTo(413);
			assertThat(post(container, INFER, tensor("\"shape\":[%d,3],\"datatype\":\"FP32\"", 100_000, "1,2,3")))
				.isEqualTo(200);
		}
	}

	@Test
	void sequencesThatTakeMuchNativeMemoryAreServedOrRefused(@TempDir Path directory) throws Exception {
		// A slow machine would cut large answers at the usual deadline.
		try (Container container = runModel(OnnxFiles.sequenceOfZeros(), directory, "--env",
				"INFERENCE_ADMISSION_MAXCONCURRENT=4", "--env", "INFERENCE_DEADLINE=1m")) {
			for (int size : new int[] { 1_000_000, 1_500_000, 2_000_000 }) {
				byte[] body = "{\"inputs\":[{\"name\":\"size\",\"shape\":[1],\"datatype\":\"INT64\",\"data\":[%d]}]}"
					.formatted(size)
					.getBytes(StandardCharsets.UTF_8);
				assertThat(ask(6, 18, List.of(() -> post(container, INFER, body)))).contains(200)
					.isSubsetOf(200, 413, 429);
			}
			assertThat(container.running()).isTrue();
		}
	}

	private Container runTransformer(Path directory, String... options) throws IOException {
		try (InputStream model = MemoryIT.class.getResourceAsStream("/all-minilm-l6-v2-q.onnx")) {
			return runModel(model.readAllBytes(), directory, options);
		}
	}

	private Container runModel(byte[] model, Path directory, String... options) throws IOException {
		Files.write(directory.resolve("model.onnx"), model);
		directory.toFile().setExecutable(true, false);
		List<String> all = new ArrayList<>(List.of("--volume", directory + ":/models:ro", "--env",
				"INFERENCE_MODEL_LOCATION=/models", "--env", "INFERENCE_MODEL_NAME=test"));
		Collections.addAll(all, options);
		return run(all.toArray(String[]::new));
	}

	private Container run(String... options) {
		List<String> all = new ArrayList<>(List.of("--memory", "384m", "--memory-swap", "384m"));
		Collections.addAll(all, options);
		Container container = Container.run(this.service, all.toArray(String[]::new));
		await().atMost(Duration.ofMinutes(1)).ignoreExceptions().until(() -> get(container, "/readyz") == 200);
		return container;
	}

	private void assertServes(Container container) throws Exception {
		assertThat(container.running()).isTrue();
		assertThat(post(container, "/", SMALL.getBytes(StandardCharsets.UTF_8))).isEqualTo(200);
	}

	private long reserved(Container container) throws IOException, InterruptedException {
		String metrics = this.client
			.send(HttpRequest.newBuilder(uri(container, "/actuator/prometheus")).build(), BodyHandlers.ofString())
			.body();
		return metrics.lines()
			.filter((line) -> line.startsWith("inference_memory_reserved_bytes"))
			.mapToLong((line) -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
			.findFirst()
			.orElseThrow();
	}

	private static List<Integer> ask(int clients, int times, List<Callable<Integer>> questions) throws Exception {
		List<Integer> statuses = new ArrayList<>();
		try (var threads = Executors.newFixedThreadPool(clients)) {
			for (Future<Integer> answer : threads.invokeAll(repeat(times, questions))) {
				statuses.add(answer.get());
			}
		}
		return statuses;
	}

	private static <T> List<T> repeat(int times, List<T> elements) {
		return Collections.nCopies(times, elements).stream().flatMap(List::stream).toList();
	}

	/** Sends a request again while other calls hold the memory. */
	private int postWhileBusy(Container container, byte[] body) {
		return await().atMost(Duration.ofMinutes(1))
			.until(() -> post(container, INFER, body), (status) -> status != 429);
	}

	private int post(Container container, String path, byte[] body) throws IOException, InterruptedException {
		HttpResponse<InputStream> answer = this.client.send(
				HttpRequest.newBuilder(uri(container, path)).POST(BodyPublishers.ofByteArray(body)).build(),
				BodyHandlers.ofInputStream());
		try (InputStream stream = answer.body()) {
			stream.transferTo(OutputStream.nullOutputStream());
		}
		return answer.statusCode();
	}

	private int get(Container container, String path) throws IOException, InterruptedException {
		return this.client.send(HttpRequest.newBuilder(uri(container, path)).build(), BodyHandlers.discarding())
			.statusCode();
	}

	private URI uri(Container container, String path) {
		return container.uri(this.service.port(), path);
	}

	private static byte[] rows(int count) {
		return "{\"instances\":[%s]}".formatted(String.join(",", Collections.nCopies(count, ROW)))
			.getBytes(StandardCharsets.UTF_8);
	}

	private static byte[] shape(int rowCount, int rowSize) {
		return "{\"inputs\":[{\"name\":\"shape\",\"shape\":[2],\"datatype\":\"INT64\",\"data\":[%d,%d]}]}"
			.formatted(rowCount, rowSize)
			.getBytes(StandardCharsets.UTF_8);
	}

	private static byte[] tensor(String shapeAndType, int rowCount, String row) {
		return "{\"inputs\":[{\"name\":\"x\",%s,\"data\":[%s]}]}"
			.formatted(shapeAndType.formatted(rowCount), String.join(",", Collections.nCopies(rowCount, row)))
			.getBytes(StandardCharsets.UTF_8);
	}

	private static byte[] tokens(int rowCount, int tokenCount) {
		String tensor = "\"shape\":[%d,%d],\"datatype\":\"INT64\",\"data\":[%s]".formatted(rowCount, tokenCount,
				String.join(",", Collections.nCopies(rowCount * tokenCount, "1")));
		return "{\"inputs\":[{\"name\":\"input_ids\",%1$s},{\"name\":\"attention_mask\",%1$s},{\"name\":\"token_type_ids\",%1$s}]}"
			.formatted(tensor)
			.getBytes(StandardCharsets.UTF_8);
	}

}
