package inference;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.context.annotation.Bean;
import org.springframework.web.servlet.function.RouterFunction;
import org.springframework.web.servlet.function.RouterFunctions;
import org.springframework.web.servlet.function.ServerResponse;

import inference.model.ModelClasses;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The server as a process of its own: how it starts, how it ends, and what its last words
 * are.
 */
@Timeout(120)
@Execution(ExecutionMode.CONCURRENT)
class ServerProcessIT {

	private static final String JAVA = Path.of(System.getProperty("java.home"), "bin", "java").toString();

	// Each server runs only for seconds, so the optimizing compiler would not pay off.
	private static final String QUICK_START = "-XX:TieredStopAtLevel=1";

	private static final Pattern PORT = Pattern.compile("Tomcat started on port (\\d+)");

	private static final Path JAR = Path.of(System.getProperty("server.jar"));

	private static final Path IMAGE = JAR.resolveSibling("image");

	private final Path directory;

	private final List<Process> started = new ArrayList<>();

	/** The port of the server. 0 until the log names it. */
	private volatile int port;

	ServerProcessIT(@TempDir Path directory) {
		this.directory = directory;
	}

	@AfterEach
	void endEveryProcess() {
		this.started.forEach(Process::destroyForcibly);
	}

	@Test
	void endsWithASentenceForABadProperty() throws Exception {
		Process process = start(Map.of("SERVER_PORT", "8080"));
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		assertThat(process.waitFor()).isNotZero();
		assertThat(output).contains("EAS reserves the ports 8080 and 9090").doesNotContain("\tat ");
	}

	@Test
	void endsWithThePathAndTheRemedyForAMissingModel() throws Exception {
		ModelClasses.assumeAFileIsServed();
		Path missing = this.directory.resolve("nothing.onnx");
		Process process = start(Map.of("INFERENCE_MODEL_LOCATION", missing.toString()));
		assertThat(follow(process, (_) -> {
		}).getLast()).endsWith(
				"There is no model at %s. Copy or mount an ONNX file there, or set INFERENCE_MODEL_LOCATION to where it is."
					.formatted(missing));
		assertThat(process.waitFor()).isNotZero();
	}

	@ParameterizedTest
	@ValueSource(strings = { " using Java ", "Tomcat initialized", "Started InferenceServer", "WARMING: ", "READY: ",
			"DRAINING: " })
	void endsWithOneLineWheneverTheSignalComes(String moment) throws Exception {
		Process process = start(Map.of());
		List<String> log = follow(process, (line) -> {
			if (line.contains(moment) || (moment.equals("DRAINING: ") && line.contains("READY: "))) {
				kill(process, "TERM");
			}
		});
		assertThat(process.waitFor()).isEqualTo(143);
		assertThat(log).filteredOn((line) -> line.contains("Ended by SIGTERM"))
			.singleElement(InstanceOfAssertFactories.STRING)
			.contains(" INFO ");
		assertThat(log).noneMatch((line) -> line.contains("WARN") || line.contains("ERROR") || line.startsWith("\tat"));
		// Another thread may write a line between the reason and the end. No line may say
		// that the model serves.
		if (log.stream().noneMatch((line) -> line.contains("before the model was ready"))) {
			assertThat(log).anyMatch((line) -> line.contains("CLOSED: "));
			assertThat(log.getLast()).endsWith("Ended by SIGTERM");
		}
		else {
			assertThat(moment).isNotIn("READY: ", "DRAINING: ");
			assertThat(log).noneMatch((line) -> line.contains("READY: "));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "POST / HTTP/1.1\r\nHost: a\r\nX: ",
			"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" })
	void endsTheDrainWhileAClientSendsByteByByte(String beginning) throws Exception {
		Process process = start(Map.of("INFERENCE_DEADLINE", "1s"));
		AtomicLong signalled = new AtomicLong();
		List<Thread> clients = new ArrayList<>();
		List<String> log = follow(process, (line) -> {
			if (line.contains("READY: ")) {
				Socket socket = connectAndSend(this.port, beginning);
				clients.add(Thread.ofVirtual().start(() -> sendByteByByte(socket)));
				signalled.set(System.nanoTime());
				kill(process, "TERM");
			}
		});
		assertThat(process.waitFor()).isEqualTo(143);
		assertThat(Duration.ofNanos(System.nanoTime() - signalled.get())).isLessThan(Duration.ofSeconds(5));
		assertThat(log.getLast()).endsWith("Ended by SIGTERM");
		for (Thread client : clients) {
			client.join();
		}
	}

	@Test
	void endsAtOnceOnASignalWhileTheModelLoads() throws Exception {
		ModelClasses.assumeAFileIsServed();
		Process process = startWith(NeverLoaded.class);
		List<String> log = follow(process, (line) -> {
			if (line.contains("Started InferenceServer")) {
				kill(process, "TERM");
			}
		});
		assertThat(process.waitFor()).isEqualTo(143);
		assertThat(log.getLast()).contains(" INFO ").endsWith("Ended by SIGTERM before the model was ready");
		assertThat(log).noneMatch((line) -> line.contains("WARN") || line.contains("ERROR"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/thread", "/request" })
	void endsWithOneLineWhenAnyThreadIsOutOfMemory(String path) throws Exception {
		Process process = startWith(OutOfMemoryEndpoints.class);
		List<String> log = follow(process, (line) -> {
			if (line.contains("READY: ")) {
				var _ = connectAndSend(this.port, "GET %s HTTP/1.1\r\nHost: a\r\n\r\n".formatted(path));
			}
		});
		assertThat(process.waitFor()).isEqualTo(3);
		assertThat(log).filteredOn((line) -> line.contains("ERROR"))
			.singleElement(InstanceOfAssertFactories.STRING)
			.contains("The process ends, because it is out of memory: Java heap space");
	}

	@Test
	void endsTheDrainOnASecondSignal() throws Exception {
		Process process = start(Map.of("INFERENCE_DRAIN_DELAY", "1h"));
		List<String> log = follow(process, (line) -> {
			if (line.contains("READY: ") || line.contains("DRAINING: ")) {
				kill(process, "TERM");
			}
		});
		assertThat(process.waitFor()).isEqualTo(143);
		assertThat(log).anyMatch((line) -> line.contains("Drain ended early"));
	}

	@Test
	void endsOnASignalEvenIfItsClassesCannotBeLoaded() throws Exception {
		Path jar = Files.copy(JAR, this.directory.resolve("server.jar"));
		Process process = start(List.of(JAVA, QUICK_START, "-jar", jar.toString()), Map.of());
		follow(process, (line) -> {
			if (line.contains("READY: ")) {
				overwrite(jar);
				kill(process, "TERM");
			}
		});
		assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
		assertThat(process.exitValue()).isEqualTo(143);
	}

	@Test
	void answersIfIdleClientsHoldAllConnections() throws Exception {
		Process process = start(List.of("sh", "-c", "ulimit -n 256 && exec \"$0\" \"$1\" -jar \"$2\"", JAVA,
				QUICK_START, JAR.toString()), Map.of());
		List<Socket> idle = new ArrayList<>();
		List<String> log = follow(process, (line) -> {
			if (line.contains("READY: ")) {
				for (int i = 0; i < 300; i++) {
					idle.add(connectAndAsk(this.port));
				}
				kill(process, "TERM");
			}
		});
		for (Socket socket : idle) {
			socket.close();
		}
		assertThat(idle).hasSize(300);
		assertThat(log).noneMatch((line) -> line.contains("WARN") || line.contains("ERROR"));
	}

	@Test
	void survivesMoreSilentConnectionsThanItsHeapCanHold() throws Exception {
		Process process = start(List.of(JAVA, QUICK_START, "-Xmx64m", "-XX:+UseSerialGC", "-jar", JAR.toString()),
				Map.of("INFERENCE_DEADLINE", "1s"));
		List<SocketChannel> silent = new ArrayList<>();
		List<String> log = follow(process, (line) -> {
			if (line.contains("READY: ")) {
				for (int i = 0; i < 3000; i++) {
					silent.add(connectWithoutWaiting(this.port));
				}
				await().atMost(Duration.ofMinutes(1)).untilAsserted(() -> connectAndAsk(this.port).close());
				kill(process, "TERM");
			}
		});
		for (SocketChannel channel : silent) {
			channel.close();
		}
		assertThat(silent).hasSize(3000);
		assertThat(log).noneMatch((line) -> line.contains("out of memory"));
		assertThat(process.waitFor()).isEqualTo(143);
	}

	/**
	 * What a rolling update is to a service: clients that keep their connections until
	 * readiness goes.
	 */
	@RepeatedTest(3)
	void answersEveryRequestUntilReadinessFails() throws Exception {
		Process process = start(Map.of("INFERENCE_DRAIN_DELAY", "1h"));
		CountDownLatch ready = new CountDownLatch(1);
		CompletableFuture<List<String>> log = CompletableFuture.supplyAsync(() -> follow(process, (line) -> {
			if (line.contains("READY: ")) {
				ready.countDown();
			}
		}));
		assertThat(ready.await(60, TimeUnit.SECONDS)).isTrue();
		try (HttpClient client = HttpClient.newHttpClient(); var executor = Executors.newFixedThreadPool(9)) {
			URI server = URI.create("http://localhost:%d/".formatted(this.port));
			AtomicBoolean told = new AtomicBoolean();
			AtomicInteger served = new AtomicInteger();
			HttpRequest predict = HttpRequest.newBuilder(server.resolve("/v2/models/m/infer"))
				.POST(BodyPublishers.ofString(zeros(client, server)))
				.build();
			List<Future<?>> clients = new ArrayList<>();
			for (int i = 0; i < 8; i++) {
				clients.add(executor.submit(() -> {
					while (!told.get()) {
						assertThat(client.send(predict, BodyHandlers.discarding()).statusCode()).isEqualTo(200);
						served.incrementAndGet();
					}
					return null;
				}));
			}
			try {
				await().atMost(Duration.ofMinutes(1)).until(() -> served.get() > 500);
				kill(process, "TERM");
				HttpRequest readiness = HttpRequest.newBuilder(server.resolve("/readyz")).build();
				await().until(() -> client.send(readiness, BodyHandlers.discarding()).statusCode() == 503);
			}
			finally {
				told.set(true);
			}
			for (Future<?> finished : clients) {
				finished.get();
			}
		}
		kill(process, "TERM");
		assertThat(process.waitFor()).isEqualTo(143);
		assertThat(log.get()).noneMatch((line) -> line.contains("WARN") || line.contains("ERROR"));
	}

	// Returns a request that fits any model, with zeros as inputs.
	private static String zeros(HttpClient client, URI server) throws Exception {
		HttpRequest request = HttpRequest.newBuilder(server.resolve("/v2/models/m")).build();
		JsonNode metadata = JsonMapper.shared().readTree(client.send(request, BodyHandlers.ofString()).body());
		List<String> inputs = new ArrayList<>();
		for (JsonNode input : metadata.path("inputs")) {
			List<Long> shape = input.path("shape").valueStream().map((size) -> Math.max(1, size.asLong())).toList();
			long elements = shape.stream().reduce(1L, (product, size) -> product * size);
			String zero = switch (input.path("datatype").asString()) {
				case "BYTES" -> "\"\"";
				case "BOOL" -> "false";
				default -> "0";
			};
			inputs.add("{\"name\":\"%s\",\"shape\":%s,\"datatype\":\"%s\",\"data\":[%s]}".formatted(
					input.path("name").asString(), shape, input.path("datatype").asString(),
					String.join(",", Collections.nCopies((int) elements, zero))));
		}
		return "{\"inputs\":%s}".formatted(inputs);
	}

	// Opens the connection of a client that keeps it after one request. It asks for no
	// probe, because the server closes the connection of a probe.
	private static Socket connectAndAsk(int port) {
		Socket socket = connectAndSend(port, "GET /v2 HTTP/1.1\r\nHost: a\r\n\r\n");
		try {
			byte[] status = socket.getInputStream().readNBytes("HTTP/1.1 200".length());
			assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 200");
			return socket;
		}
		catch (IOException ex) {
			throw new AssertionError(ex);
		}
	}

	private static SocketChannel connectWithoutWaiting(int port) {
		try {
			SocketChannel channel = SocketChannel.open();
			channel.configureBlocking(false);
			channel.connect(new InetSocketAddress("localhost", port));
			return channel;
		}
		catch (IOException ex) {
			throw new AssertionError(ex);
		}
	}

	private static Socket connectAndSend(int port, String text) {
		try {
			Socket socket = new Socket("localhost", port);
			socket.setSoTimeout(10_000);
			socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
			return socket;
		}
		catch (IOException ex) {
			throw new AssertionError(ex);
		}
	}

	// Sends bytes until the server has closed the connection.
	private static void sendByteByByte(Socket socket) {
		try (socket) {
			while (true) {
				socket.getOutputStream().write('a');
				Thread.sleep(200);
			}
		}
		catch (IOException | InterruptedException ex) {
			// The server has closed the connection.
		}
	}

	private static void overwrite(Path file) {
		try {
			Files.write(file, new byte[(int) Files.size(file)]);
		}
		catch (IOException ex) {
			throw new AssertionError(ex);
		}
	}

	private List<String> follow(Process process, Consumer<String> observer) {
		try (Stream<String> lines = process.inputReader().lines()) {
			return lines.peek(this::readPort).peek(observer).toList();
		}
	}

	private void readPort(String line) {
		Matcher started = PORT.matcher(line);
		if (started.find()) {
			this.port = Integer.parseInt(started.group(1));
		}
	}

	private Process start(Map<String, String> environment) throws IOException {
		return start(command(), environment);
	}

	// From the files of the image, a server starts in a third of the time. Only a build
	// on Linux amd64 makes them.
	private List<String> command() throws IOException {
		Path app = IMAGE.resolve("app");
		if (!Files.exists(app.resolve("app.aot"))) {
			return List.of(JAVA, QUICK_START, "-jar", JAR.toString());
		}
		String arguments = Files.readString(app.resolve("server.args")).replace("/app/", app + "/");
		Path file = Files.writeString(this.directory.resolve("server.args"), arguments);
		return List.of(IMAGE.resolve("opt/java/bin/java").toString(), QUICK_START, "@" + file);
	}

	private Process startWith(Class<?> source) throws IOException {
		return start(List.of(JAVA, QUICK_START, "-cp", System.getProperty("java.class.path"),
				InferenceServer.class.getName()), Map.of("SPRING_MAIN_SOURCES", source.getName()));
	}

	private Process start(List<String> command, Map<String, String> environment) throws IOException {
		ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
		builder.environment().put("SERVER_PORT", "0");
		builder.environment().put("INFERENCE_MODEL_NAME", "m");
		builder.environment().putAll(environment);
		Process process = builder.start();
		this.started.add(process);
		return process;
	}

	private static void kill(Process process, String signal) {
		try {
			new ProcessBuilder("kill", "-s", signal, String.valueOf(process.pid())).start().waitFor();
		}
		catch (IOException | InterruptedException ex) {
			throw new AssertionError(ex);
		}
	}

	/**
	 * Endpoints that find the heap full, on a thread of their own or on the request's.
	 */
	static final class OutOfMemoryEndpoints {

		@Bean
		RouterFunction<ServerResponse> endpoints() {
			return RouterFunctions.route().GET("/thread", (_) -> {
				Thread.ofPlatform().start(() -> {
					throw new OutOfMemoryError("Java heap space");
				}).join();
				return ServerResponse.ok().build();
			}).GET("/request", (_) -> ServerResponse.ok().body(new long[Integer.MAX_VALUE - 8].length)).build();
		}

	}

	/** A model whose constructor does not return. */
	static final class NeverLoaded extends TestModel {

		NeverLoaded() {
			super(new CountDownLatch(1));
		}

	}

}
