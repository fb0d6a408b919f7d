package inference.ops;

import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

import com.sun.net.httpserver.HttpServer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

class ExecProbeTests {

	private static final String READY = "{\"status\":\"UP\"}";

	private final HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);

	private final ByteArrayOutputStream out = new ByteArrayOutputStream();

	// HttpServer.create throws what a field's initialiser may not.
	ExecProbeTests() throws IOException {
		this.server.start();
	}

	@AfterEach
	void stop() {
		this.server.stop(0);
	}

	@ParameterizedTest
	@CsvSource({ "readiness, /readyz", "liveness, /livez", "startup, /startupz" })
	void asksTheServerForTheGivenProbe(String probe, String path) {
		answer(path, 200, READY);
		assertThat(run(port(), probe)).isTrue();
		assertThat(output()).isEqualTo(READY);
	}

	@Test
	void failsWithTheServersReason() {
		answer("/readyz", 503, "{\"reason\":\"the model is loading\"}");
		assertThat(run(port(), "readiness")).isFalse();
		assertThat(output()).isEqualTo("{\"reason\":\"the model is loading\"}");
	}

	@Test
	void readsThePortAsTheServerDoes() {
		answer("/livez", 200, READY);
		assertThat(run(" " + port() + " ", "liveness")).isTrue();
		assertThat(ExecProbe.DEFAULT_PORT).isEqualTo(8000);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "health", "READINESS", "readiness readiness" })
	void saysWhichArgumentsThereAre(String arguments) {
		assertThat(run(port(), arguments.isEmpty() ? new String[0] : arguments.split(" ", -1))).isFalse();
		assertThat(output()).isEqualTo("One argument is needed: readiness, liveness or startup.");
	}

	@ParameterizedTest
	@ValueSource(strings = { "http", "-1", "65536", "99999999999" })
	void saysThatThePortIsNoPort(String port) {
		assertThat(run(port, "readiness")).isFalse();
		assertThat(output()).isEqualTo("SERVER_PORT is '%s', which is not a port.".formatted(port));
	}

	@Test
	void failsWhenThePortIsClosed() throws IOException {
		int free;
		try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			free = socket.getLocalPort();
		}
		assertThat(run(String.valueOf(free), "readiness")).isFalse();
		assertThat(output()).startsWith("The server sent no complete answer: ");
	}

	@Test
	void givesUpOnASilentServerBeforeTheKubeletDoes() throws IOException {
		try (var silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			long start = System.nanoTime();
			assertThat(run(String.valueOf(silent.getLocalPort()), "readiness")).isFalse();
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(1));
			assertThat(output()).startsWith("The server sent no complete answer: ");
		}
	}

	@Test
	void doesNotReadAnEndlessAnswer() throws IOException {
		assertCutOff("HTTP/1.1 200 OK\r\n", true);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "H", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" })
	void failsOnAnAnswerThatIsCutOff(String answer) throws IOException {
		assertCutOff(answer, false);
	}

	@Test
	void runsWithTheJdkAlone() throws Exception {
		answer("/readyz", 200, READY);
		var classes = Path.of(ExecProbe.class.getProtectionDomain().getCodeSource().getLocation().toURI());
		var java = Path.of(System.getProperty("java.home"), "bin", "java");
		var builder = new ProcessBuilder(java.toString(), "-cp", classes.toString(), ExecProbe.class.getName(),
				"readiness");
		builder.environment().put("SERVER_PORT", port());
		var process = builder.start();
		assertThat(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip())
			.isEqualTo(READY);
		assertThat(process.waitFor(10, TimeUnit.SECONDS)).isTrue();
		assertThat(process.exitValue()).isZero();
	}

	private void answer(String path, int status, String body) {
		byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
		this.server.createContext(path, (exchange) -> {
			try (exchange) {
				exchange.sendResponseHeaders(status, bytes.length);
				exchange.getResponseBody().write(bytes);
			}
		});
	}

	// The answer is one that the JDK's server would not send.
	private void assertCutOff(String answer, boolean isEndless) throws IOException {
		try (var server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			Thread.startVirtualThread(() -> answer(server, answer, isEndless));
			assertThat(run(String.valueOf(server.getLocalPort()), "readiness")).isFalse();
			assertThat(output()).isEqualTo("The server sent no complete answer: the headers are cut off");
		}
	}

	private static void answer(ServerSocket server, String answer, boolean isEndless) {
		try (var socket = server.accept()) {
			var request = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
			for (var line = request.readLine(); line != null && !line.isEmpty();) {
				line = request.readLine();
			}
			do {
				socket.getOutputStream().write(answer.getBytes(StandardCharsets.US_ASCII));
			}
			while (isEndless);
		}
		catch (IOException _) {
			// The probe has hung up.
		}
	}

	private boolean run(String port, String... arguments) {
		return ExecProbe.run(new PrintStream(this.out, true, StandardCharsets.UTF_8), port, arguments);
	}

	private String port() {
		return String.valueOf(this.server.getAddress().getPort());
	}

	private String output() {
		return this.out.toString(StandardCharsets.UTF_8).strip();
	}

}
