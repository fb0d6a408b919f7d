package bench;

import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
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
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A server under load: a process of its own, on a free port, until it is closed.
 */
final class Server implements AutoCloseable {

	private static final Duration PATIENCE = Duration.ofMinutes(1);

	private final Process process;

	private final Path log;

	private final int port;

	// For the one who interrupts the benchmark.
	private final Thread killer = new Thread(this::kill);

	private Server(Process process, Path log, int port) {
		this.process = process;
		this.log = log;
		this.port = port;
		Runtime.getRuntime().addShutdownHook(this.killer);
	}

	/**
	 * Starts a server.
	 * @param prefix what the command is put behind, such as a choice of CPUs
	 */
	static Server start(Contender contender, OnnxFile model, String... prefix) throws IOException {
		int port;
		try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			port = free.getLocalPort();
		}
		Path log = Path.of("target/bench/%s-%s.log".formatted(Options.name(contender), model.title()));
		File file = log.toFile();
		ProcessBuilder builder = new ProcessBuilder(
				Commands.join(List.of(prefix), contender.command(model, port).toArray(String[]::new)))
			.redirectErrorStream(true)
			.redirectOutput(file);
		builder.environment().putAll(contender.environment(model, port));
		return new Server(builder.start(), log, port);
	}

	int port() {
		return this.port;
	}

	/** Waits until the server gives the right answer. */
	void awaitAnswer(Request request, String expected) throws IOException, InterruptedException {
		HttpRequest.Builder http = HttpRequest
			.newBuilder(URI.create("http://127.0.0.1:%d%s".formatted(this.port, request.path())))
			.header("Content-Type", "application/json")
			.POST(BodyPublishers.ofByteArray(request.body()));
		if (request.jsonLength() > 0) {
			http.header("Inference-Header-Content-Length", String.valueOf(request.jsonLength()));
		}
		long end = System.nanoTime() + PATIENCE.toNanos();
		try (HttpClient client = HttpClient.newHttpClient()) {
			while (!answers(client, http.build(), expected)) {
				if (!this.process.isAlive() || System.nanoTime() > end) {
					throw new IOException("No right answer from %s: see %s".formatted(request.path(), this.log));
				}
				Thread.sleep(50);
			}
		}
	}

	private static boolean answers(HttpClient client, HttpRequest request, String expected)
			throws InterruptedException {
		try {
			HttpResponse<String> response = client.send(request, BodyHandlers.ofString(StandardCharsets.ISO_8859_1));
			return response.statusCode() == 200 && response.body().contains(expected);
		}
		catch (IOException ex) {
			return false;
		}
	}

	@Override
	public void close() {
		this.process.destroy();
		try {
			if (!this.process.waitFor(20, TimeUnit.SECONDS)) {
				kill();
			}
		}
		catch (InterruptedException ex) {
			kill();
			Thread.currentThread().interrupt();
		}
		Runtime.getRuntime().removeShutdownHook(this.killer);
	}

	private void kill() {
		this.process.descendants().forEach(ProcessHandle::destroyForcibly);
		this.process.destroyForcibly();
	}

}
