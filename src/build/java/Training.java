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
 * Records Java's ahead-of-time (AOT) cache: starts the staged server with the runtime of
 * the image, waits until it is ready, and ends it with SIGTERM.
 */
final class Training {

	/**
	 * Leaves machine code, which would be that of this machine's CPU, out of the cache.
	 * The optimizing compiler's profiles in it would cost the server half as much CPU time
	 * again until it is ready, so only the quick compiler runs.
	 */
	private static final List<String> RECORD = List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching",
			"-XX:-AOTStubCaching", "-XX:TieredStopAtLevel=1");

	private final Path image;

	private final Path cache;

	private final Path log;

	Training(Path image) {
		this.image = image.toAbsolutePath();
		this.cache = this.image.resolveSibling("image-cache.aot");
		this.log = this.image.resolveSibling("image-training.log");
	}

	/** Records the cache, and starts the server from it once. */
	Path run() throws IOException, InterruptedException {
		Files.deleteIfExists(this.cache);
		List<String> options = new ArrayList<>(RECORD);
		options.add("-XX:AOTCacheOutput=" + this.cache);
		serve(options);
		check(Files.exists(this.cache), "Java wrote none");
		serve(List.of("-XX:AOTCache=" + this.cache, "-XX:AOTMode=on"));
		return this.cache;
	}

	/** Runs the server until it is ready. */
	private void serve(List<String> cacheOptions) throws IOException, InterruptedException {
		int port;
		try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			port = free.getLocalPort();
		}
		List<String> command = new ArrayList<>(List.of(this.image.resolve("opt/java/bin/java").toString()));
		command.addAll(cacheOptions);
		command.addAll(arguments());
		// With the class path "../app/…", a class that is asked where it came from names
		// the right path whether the server runs in / or in /tmp.
		ProcessBuilder builder = new ProcessBuilder(command).directory(this.image.resolve("opt").toFile())
			.redirectErrorStream(true)
			.redirectOutput(this.log.toFile());
		Map<String, String> environment = builder.environment();
		environment.keySet().removeIf((name) -> name.startsWith("J") && name.endsWith("_OPTIONS"));
		environment
			.putAll(Map.of("SERVER_PORT", Integer.toString(port), "SERVER_ADDRESS", "127.0.0.1",
					"LOGGING_STRUCTURED_FORMAT_CONSOLE", "ecs", "ORT_DISABLE_TELEMETRY", "1"));
		Process server = builder.start();
		try {
			long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
			for (int status = 0; status != 200; status = readiness(port)) {
				check(server.isAlive(), "the server ended");
				check(status == 0 || status == 503, "GET /readyz, which a filter must let pass, answers " + status);
				check(System.nanoTime() < end, "the server did not become ready");
				Thread.sleep(50);
			}
			server.destroy();
			check(server.waitFor(5, TimeUnit.MINUTES), "the server did not end");
			check(server.exitValue() == 143, "the server ended with exit code " + server.exitValue());
		}
		finally {
			server.destroyForcibly().waitFor();
		}
	}

	/** Returns the status of the readiness probe, or 0 while nothing listens. */
	private static int readiness(int port) throws InterruptedException {
		try (HttpClient client = HttpClient.newHttpClient()) {
			URI probe = URI.create("http://127.0.0.1:" + port + "/readyz");
			return client.send(HttpRequest.newBuilder(probe).build(), BodyHandlers.discarding()).statusCode();
		}
		catch (IOException ex) {
			return 0;
		}
	}

	/** The arguments in server.args, with the staged files in place of the image's. */
	private List<String> arguments() throws IOException {
		return Files.readAllLines(this.image.resolve("app/server.args"))
			.stream()
			.filter((line) -> !line.startsWith("#") && !line.startsWith("-XX:AOTCache="))
			.flatMap((line) -> Stream.of(line.split(" ")))
			.filter((argument) -> !argument.isEmpty())
			.map((argument) -> argument.replace("/app/", "../app/"))
			.toList();
	}

	private void check(boolean condition, String failure) {
		if (!condition) {
			throw new IllegalStateException("The image's AOT cache was not recorded: " + failure + ". See " + this.log
					+ ". A model that is not in the jar must exist at build time, too: set INFERENCE_MODEL_LOCATION");
		}
	}

}
