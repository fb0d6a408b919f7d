package inference.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * A container of the image that Jib built, under the limits that the image promises to
 * bear.
 */
final class Container implements AutoCloseable {

	private static final Duration TIMEOUT = Duration.ofMinutes(2);

	private static final List<String> LIMITS = List.of("--memory", "512m", "--cpus", "1", "--read-only", "--tmpfs",
			"/tmp", "--user", "10001:10001",
			// Podman's own limits are higher than a host without CAP_SYS_RESOURCE may
			// grant.
			"--ulimit", "nofile=1000:1000", "--ulimit", "nproc=1000:1000");

	private final String name = "inference-test-" + UUID.randomUUID();

	private Container(List<String> options, List<String> command) {
		List<String> arguments = new ArrayList<>(List.of("run", "--detach", "--name", this.name));
		arguments.addAll(LIMITS);
		arguments.addAll(options);
		arguments.add(Image.id());
		arguments.addAll(command);
		succeed(arguments);
	}

	/**
	 * Runs the service as the platform does; podman's options come after the limits and
	 * win over them.
	 */
	static Container run(Service service, String... options) {
		Stream<String> environment = service.environment()
			.entrySet()
			.stream()
			.flatMap((variable) -> Stream.of("--env", variable.getKey() + "=" + variable.getValue()));
		return new Container(Stream.concat(environment, Stream.of(options)).toList(), service.command());
	}

	URI uri(int port, String path) {
		return URI.create("http://" + address() + ":" + port + path);
	}

	String address() {
		return inspect("{{.NetworkSettings.IPAddress}}");
	}

	Result exec(Duration timeout, String... command) {
		return podman(timeout, Stream.concat(Stream.of("exec", this.name), Stream.of(command)).toList());
	}

	/** Sends SIGTERM, after the grace period SIGKILL, and returns the exit code. */
	int stop(Duration gracePeriod) {
		succeed("stop", "--time", Long.toString(gracePeriod.toSeconds()), this.name);
		return Integer.parseInt(inspect("{{.State.ExitCode}}"));
	}

	void start() {
		succeed("start", this.name);
	}

	void signal(String signal) {
		succeed("kill", "--signal", signal, this.name);
	}

	boolean running() {
		return inspect("{{.State.Running}}").equals("true");
	}

	String inspect(String template) {
		return succeed("inspect", "--format", template, this.name);
	}

	/** The processes, a line each, in the columns that "podman top" knows. */
	List<String> processes(String... columns) {
		List<String> arguments = Stream.concat(Stream.of("top", this.name), Stream.of(columns)).toList();
		return succeed(arguments).lines().skip(1).toList();
	}

	/** The changes to the file system, as "A /path". */
	List<String> diff() {
		return succeed("diff", this.name).lines().toList();
	}

	String logs() {
		return succeed("logs", this.name);
	}

	@Override
	public void close() {
		succeed("rm", "--force", "--time", "0", this.name);
	}

	static boolean succeeds(String... arguments) {
		return podman(TIMEOUT, List.of(arguments)).exitCode() == 0;
	}

	static String succeed(String... arguments) {
		return succeed(List.of(arguments));
	}

	private static String succeed(List<String> arguments) {
		Result result = podman(TIMEOUT, arguments);
		if (result.exitCode() != 0) {
			throw new IllegalStateException("podman " + String.join(" ", arguments) + ": " + result.output());
		}
		return result.output();
	}

	private static Result podman(Duration timeout, List<String> arguments) {
		long started = System.nanoTime();
		try {
			Path output = Files.createTempFile("podman", ".txt");
			try {
				Process process = new ProcessBuilder(
						Stream.concat(Stream.of("podman", "--runtime", "runc"), arguments.stream()).toList())
					.redirectErrorStream(true)
					.redirectOutput(output.toFile())
					.start();
				boolean ended = process.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS);
				if (!ended) {
					process.destroyForcibly();
				}
				return new Result(ended ? process.exitValue() : -1,
						Files.readString(output, StandardCharsets.UTF_8).strip(),
						Duration.ofNanos(System.nanoTime() - started));
			}
			finally {
				Files.delete(output);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	/**
	 * What a command answered; exit code -1 if it took too long.
	 */
	record Result(int exitCode, String output, Duration time) {
	}

}
