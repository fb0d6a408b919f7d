package inference;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The executable jar as a process of its own: how it starts, how it ends, and what its
 * last words are.
 */
@Timeout(120)
class ServerProcessIT {

	private static final Path JAR = Path.of("target/inference-server.jar");

	private final Path directory;

	private final List<Process> started = new ArrayList<>();

	ServerProcessIT(@TempDir Path directory) {
		this.directory = directory;
	}

	@AfterEach
	void leaveNothingRunning() {
		this.started.forEach(Process::destroyForcibly);
	}

	@Test
	void aBadPropertyEndsItWithASentence() throws Exception {
		Process process = start(Map.of("SERVER_PORT", "8080"));
		String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		assertThat(process.waitFor()).isNotZero();
		assertThat(output).contains("EAS reserves the ports 8080 and 9090").doesNotContain("\tat ");
	}

	@Test
	void aMissingModelEndsItWithThePathAndTheRemedy() throws Exception {
		Path missing = this.directory.resolve("nothing.onnx");
		assertThat(lastWords(missing)).endsWith(
				"There is no model at %s. Copy or mount an ONNX file there, or set INFERENCE_MODEL_LOCATION to where it is."
					.formatted(missing));
	}

	@Test
	void aCorruptModelEndsItWithThePath() throws Exception {
		Path corrupt = Files.writeString(this.directory.resolve("model.onnx"), "this is no model");
		assertThat(lastWords(corrupt)).contains("The model at %s cannot be loaded".formatted(corrupt));
	}

	@ParameterizedTest
	@CsvSource({ "TERM, 143", "INT, 130" })
	void aSignalEndsItCleanly(String signal, int code) throws Exception {
		Process process = start(Map.of());
		try (Stream<String> lines = process.inputReader().lines()) {
			List<String> log = new ArrayList<>();
			lines.forEach((line) -> {
				log.add(line);
				if (line.contains("READY: ")) {
					kill(process, signal);
				}
			});
			assertThat(process.waitFor()).isEqualTo(code);
			assertThat(log.getLast()).endsWith("Ended by SIG" + signal);
			assertThat(log).anyMatch((line) -> line.contains("CLOSED: "));
		}
	}

	private String lastWords(Path location) throws Exception {
		Process process = start(Map.of("INFERENCE_MODEL_LOCATION", location.toString()));
		try (Stream<String> lines = process.inputReader().lines()) {
			String last = lines.toList().getLast();
			assertThat(process.waitFor()).isNotZero();
			return last;
		}
	}

	private Process start(Map<String, String> environment) throws IOException {
		String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
		ProcessBuilder builder = new ProcessBuilder(java, "-jar", JAR.toString()).redirectErrorStream(true);
		builder.environment().put("SERVER_PORT", "0");
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

}
