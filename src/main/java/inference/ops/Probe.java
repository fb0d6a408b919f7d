package inference.ops;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

/**
 * The exec probe: asks the server on this machine one question and turns the answer into
 * an exit code. {@code readiness}, {@code liveness} or {@code startup} as the only
 * argument; the reason goes to standard output.
 * <p>
 * It asks once and does not wait: delays and repetitions are the kubelet's. The port is
 * the environment's {@code SERVER_PORT}, as it is for the server.
 */
public final class Probe {

	static final int DEFAULT_PORT = 8000;

	// Below the second that a kubelet grants by default.
	private static final int TIMEOUT_MILLIS = 900;

	private static final int PASSED = 0;

	private static final int FAILED = 1;

	private Probe() {
	}

	public static void main(String[] arguments) {
		System.exit(run(System.out, System.getenv("SERVER_PORT"), arguments));
	}

	static int run(PrintStream out, @Nullable String port, String... arguments) {
		String path = (arguments.length == 1) ? path(arguments[0]) : null;
		if (path == null) {
			out.println("One argument is needed: readiness, liveness or startup.");
			return FAILED;
		}
		try {
			String answer = ask(port(port), path);
			out.println(answer.substring(answer.indexOf("\r\n\r\n") + 4));
			return passed(answer) ? PASSED : FAILED;
		}
		catch (IOException | NumberFormatException ex) {
			out.println("The server does not answer: " + ex.getMessage());
			return FAILED;
		}
	}

	private static @Nullable String path(String probe) {
		return switch (probe) {
			case "readiness" -> "/readyz";
			case "liveness" -> "/livez";
			case "startup" -> "/startupz";
			default -> null;
		};
	}

	private static int port(@Nullable String configured) {
		return (configured == null || configured.isBlank()) ? DEFAULT_PORT : Integer.parseInt(configured.strip());
	}

	private static boolean passed(String answer) {
		return answer.startsWith("HTTP/1.1 200");
	}

	// A socket and HTTP/1.0 instead of the JDK's HTTP client, which takes longer to load
	// than everything else here together.
	private static String ask(int port, String path) throws IOException {
		try (Socket socket = new Socket()) {
			socket.setSoTimeout(TIMEOUT_MILLIS);
			socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), TIMEOUT_MILLIS);
			OutputStream request = socket.getOutputStream();
			request.write(("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
			request.flush();
			return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
		}
	}

}
