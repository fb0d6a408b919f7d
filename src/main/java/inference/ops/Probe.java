package inference.ops;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;

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

	// Below the second that a kubelet grants by default, and in which the JVM starts too.
	private static final long TIMEOUT_MILLIS = 700;

	private static final int MAX_ANSWER = 8192;

	private static final String END_OF_HEAD = "\r\n\r\n";

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
			String answer = ask(server(port), path);
			out.println(answer.substring(answer.indexOf(END_OF_HEAD) + END_OF_HEAD.length()));
			return passed(answer) ? PASSED : FAILED;
		}
		catch (IllegalArgumentException ex) {
			out.println("SERVER_PORT is '" + port + "', which is not a port.");
			return FAILED;
		}
		catch (IOException ex) {
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

	private static InetSocketAddress server(@Nullable String port) {
		int number = (port == null || port.isBlank()) ? DEFAULT_PORT : Integer.parseInt(port.strip());
		return new InetSocketAddress(InetAddress.getLoopbackAddress(), number);
	}

	private static boolean passed(String answer) {
		return answer.startsWith("HTTP/1.1 200");
	}

	// A socket and HTTP/1.0 instead of the JDK's HTTP client, which takes longer to load
	// than everything else here together.
	private static String ask(InetSocketAddress server, String path) throws IOException {
		long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(TIMEOUT_MILLIS);
		byte[] answer = new byte[MAX_ANSWER];
		int length = 0;
		try (Socket socket = new Socket()) {
			socket.connect(server, millisUntil(end));
			OutputStream request = socket.getOutputStream();
			request.write(("GET " + path + " HTTP/1.0\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
			request.flush();
			for (int read = 0; read >= 0 && length < answer.length; length += Math.max(0, read)) {
				socket.setSoTimeout(millisUntil(end));
				read = socket.getInputStream().read(answer, length, answer.length - length);
			}
		}
		String text = new String(answer, 0, length, StandardCharsets.UTF_8);
		if (!text.contains(END_OF_HEAD)) {
			throw new IOException("its answer is cut off");
		}
		return text;
	}

	private static int millisUntil(long end) throws IOException {
		long millis = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
		if (millis <= 0) {
			throw new IOException("it takes too long");
		}
		return (int) millis;
	}

}
