import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * Records Java's ahead-of-time (AOT) cache, which the JVM writes when the server ends. The
 * staged server is started with the runtime of the image, and ended with SIGTERM as soon
 * as it is ready.
 */
final class Training {

	/**
	 * The options that keep two things out of the cache. Machine code would fit only the
	 * CPU of this machine. With profiles of the optimizing compiler, the server would take
	 * 1.5 times the CPU time until it is ready.
	 */
	private static final List<String> RECORDING_OPTIONS = List.of("-XX:+UnlockDiagnosticVMOptions",
			"-XX:-AOTAdapterCaching", "-XX:-AOTStubCaching", "-XX:TieredStopAtLevel=1");

	private final Path imageDirectory;

	private final Path cacheFile;

	private final Path logFile;

	Training(Path imageDirectory) {
		this.imageDirectory = imageDirectory.toAbsolutePath();
		this.cacheFile = this.imageDirectory.resolveSibling("image-cache.aot");
		this.logFile = this.imageDirectory.resolveSibling("image-training.log");
	}

	/** Records the cache, and proves that a server starts from it. */
	Path run() throws IOException, InterruptedException {
		Files.deleteIfExists(this.cacheFile);
		List<String> options = new ArrayList<>(RECORDING_OPTIONS);
		options.add("-XX:AOTCacheOutput=" + this.cacheFile);
		serve(options);
		require(Files.exists(this.cacheFile), "the JVM wrote no cache");
		serve(List.of("-XX:AOTCache=" + this.cacheFile, "-XX:AOTMode=on"));
		return this.cacheFile;
	}

	/** Starts the server with options for the cache, and ends it when it is ready. */
	private void serve(List<String> cacheOptions) throws IOException, InterruptedException {
		int port;
		try (ServerSocket freeSocket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			port = freeSocket.getLocalPort();
		}
		List<String> command = new ArrayList<>(List.of(this.imageDirectory.resolve("opt/java/bin/java").toString()));
		command.addAll(cacheOptions);
		command.addAll(serverArguments());
		// The cache stores the class path of this run as the location of each class. The
		// path "../app/…" is right for a server that runs in / or in /tmp.
		ProcessBuilder builder = new ProcessBuilder(command).directory(this.imageDirectory.resolve("opt").toFile())
			.redirectErrorStream(true)
			.redirectOutput(this.logFile.toFile());
		Map<String, String> environment = builder.environment();
		environment.keySet().removeIf((name) -> name.startsWith("J") && name.endsWith("_OPTIONS"));
		environment
			.putAll(Map.of("SERVER_PORT", Integer.toString(port), "SERVER_ADDRESS", "127.0.0.1", "SERVER_SSL_ENABLED",
					"false", "SERVER_SERVLET_CONTEXTPATH", "", "LOGGING_STRUCTURED_FORMAT_CONSOLE", "ecs",
					"ORT_DISABLE_TELEMETRY", "1"));
		Process server = builder.start();
		try {
			long deadlineNanos = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
			for (int status = 0; status != 200; status = readinessStatus(port)) {
				require(server.isAlive(), "the server ended");
				require(status == 0 || status == 503,
						"GET /readyz answers " + status + ". A filter must let probes pass");
				require(System.nanoTime() < deadlineNanos, "the server did not become ready");
				Thread.sleep(50);
			}
			server.destroy();
			require(server.waitFor(5, TimeUnit.MINUTES), "the server did not end");
			require(server.exitValue() == 143, "the server ended with exit code " + server.exitValue());
		}
		finally {
			server.destroyForcibly().waitFor();
		}
	}

	/** Returns the status of the readiness probe, or 0 while nothing listens. */
	private static int readinessStatus(int port) throws InterruptedException {
		try (HttpClient client = HttpClient.newHttpClient()) {
			URI probe = URI.create("http://127.0.0.1:" + port + "/readyz");
			return client.send(HttpRequest.newBuilder(probe).build(), BodyHandlers.discarding()).statusCode();
		}
		catch (IOException ex) {
			return 0;
		}
	}

	/** The arguments in server.args, with the staged files in place of the image's. */
	private List<String> serverArguments() throws IOException {
		return Files.readAllLines(this.imageDirectory.resolve("app/server.args"))
			.stream()
			.filter((line) -> !line.startsWith("#") && !line.startsWith("-XX:AOTCache="))
			.flatMap((line) -> Stream.of(line.split(" ")))
			.filter((argument) -> !argument.isEmpty())
			.map((argument) -> argument.replace("/app/", "../app/"))
			.toList();
	}

	private void require(boolean condition, String failure) {
		if (!condition) {
			throw new IllegalStateException("The image's AOT cache was not recorded: " + failure + ". See "
					+ this.logFile + ". A model that is not in the jar must exist at build time, too: set INFERENCE_MODEL_LOCATION");
		}
	}

}
