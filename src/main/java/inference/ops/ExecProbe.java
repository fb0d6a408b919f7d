package inference.ops;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

/**
 * A program for the kubelet's exec probe. It asks the server in the same container for
 * one probe's result, and turns the answer into the exit code 0 or 1. The only argument
 * is {@code readiness}, {@code liveness} or {@code startup}. The answer, or why there is
 * none, is printed to standard output.
 * <p>
 * The program does not retry, because the kubelet runs it again. It reads the port from
 * the environment variable {@code SERVER_PORT}, as the server does.
 */
public final class ExecProbe {

	static final int DEFAULT_PORT = 8000;

	// The kubelet's timeout is one second by default and includes the JVM's start. This
	// limit applies to connecting, and to each read of the answer.
	private static final int TIMEOUT_MILLIS = 700;

	private static final int MAX_ANSWER_BYTES = 8192;

	private static final String END_OF_HEAD = "\r\n\r\n";

	private ExecProbe() {
	}

	public static void main(String[] arguments) {
		System.exit(run(System.out, System.getenv("SERVER_PORT"), arguments) ? 0 : 1);
	}

	/** Requests the probe, prints the answer, and returns whether the probe passes. */
	static boolean run(PrintStream out, @Nullable String port, String... arguments) {
		String path = switch (String.join(" ", arguments)) {
			case "readiness" -> "/readyz";
			case "liveness" -> "/livez";
			case "startup" -> "/startupz";
			default -> null;
		};
		if (path == null) {
			out.println("One argument is needed: readiness, liveness or startup.");
			return false;
		}
		try {
			int portNumber = (port == null || port.isBlank()) ? DEFAULT_PORT : Integer.parseInt(port.strip());
			String answer = sendRequest(new InetSocketAddress(InetAddress.getLoopbackAddress(), portNumber), path);
			out.println(answer.substring(answer.indexOf(END_OF_HEAD) + END_OF_HEAD.length()));
			return answer.startsWith("HTTP/1.1 200");
		}
		catch (IllegalArgumentException ex) {
			out.println("SERVER_PORT is '" + port + "', which is not a port.");
		}
		catch (IOException ex) {
			out.println("The server sent no complete answer: " + ex.getMessage());
		}
		return false;
	}

	// A socket is used, because the JDK's HTTP client takes longer to load than the rest
	// of the program. HTTP/1.0 makes the server close the connection after its answer,
	// whose version is always 1.1.
	private static String sendRequest(InetSocketAddress server, String path) throws IOException {
		try (Socket socket = new Socket()) {
			socket.connect(server, TIMEOUT_MILLIS);
			socket.setSoTimeout(TIMEOUT_MILLIS);
			String request = "GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n";
			socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
			byte[] answerBytes = socket.getInputStream().readNBytes(MAX_ANSWER_BYTES);
			String answer = new String(answerBytes, StandardCharsets.UTF_8);
			if (!answer.contains(END_OF_HEAD)) {
				throw new IOException("the headers are cut off");
			}
			return answer;
		}
	}

}
