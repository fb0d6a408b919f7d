package bench;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Other programs: how they are called, and what they say.
 */
final class Commands {

	private Commands() {
	}

	static List<String> java(List<String> options, String... program) {
		return join(join(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()),
				options.toArray(String[]::new)), program);
	}

	/** The options of the image's server, without what is only in the image. */
	static List<String> serverOptions() throws IOException {
		return Files.readAllLines(Path.of("src/build/image/app/server.args"))
			.stream()
			.filter((line) -> line.startsWith("-") && !line.contains("/app/"))
			.toList();
	}

	/**
	 * For programs of Java: their class path, and that ONNX Runtime is not to report to
	 * its maker, while it looks for what to it crashes on long command lines.
	 */
	static Map<String, String> environment() throws IOException {
		Map<String, String> environment = new HashMap<>();
		environment.put("CLASSPATH", "target/bench/classes:" + Files.readString(Path.of("target/bench/class-path")));
		environment.put("ORT_DISABLE_TELEMETRY", "1");
		return environment;
	}

	static boolean succeeds(String... command) throws IOException, InterruptedException {
		return new ProcessBuilder(command).redirectOutput(Redirect.DISCARD)
			.redirectError(Redirect.DISCARD)
			.start()
			.waitFor() == 0;
	}

	/** What a program writes until it ends, which it has to do well. */
	static String output(List<String> command, Map<String, String> environment)
			throws IOException, InterruptedException {
		ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
		builder.environment().putAll(environment);
		Process process = builder.start();
		Thread killer = new Thread(process::destroyForcibly);
		Runtime.getRuntime().addShutdownHook(killer);
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		int code = process.waitFor();
		Runtime.getRuntime().removeShutdownHook(killer);
		if (code != 0) {
			throw new IOException("%s ended with exit code %d: %s".formatted(command, code, output));
		}
		return output;
	}

	static List<String> join(List<String> some, String... more) {
		return Stream.concat(some.stream(), Stream.of(more)).toList();
	}

}
