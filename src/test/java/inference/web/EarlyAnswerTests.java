package inference.web;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import inference.Server;
import inference.TestModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeout;

/**
 * Answers that are sent before the request's body has arrived. The shared server takes
 * bodies of at most 64 KB.
 */
class EarlyAnswerTests {

	private static final int LARGE_BODY_BYTES = 8 * 1024 * 1024;

	private static final int MAX_ACTIVE_REQUESTS = 64;

	private static final String POST_HEAD = "POST / HTTP/1.1\r\nHost: a\r\n";

	private static final Server server = Server.shared();

	private static final Server longDeadlineServer = Server.ready(TestModel::new, "inference.deadline=1m");

	@AfterAll
	static void stop() {
		longDeadlineServer.close();
	}

	@ParameterizedTest
	@CsvSource({ "POST /, a, false, 413", "POST /, a, true, 413", "POST /%zz, a, false, 400",
			"POST /, a b, false, 400" })
	void clientThatSendsItsWholeBodyFirstSeesTheRefusal(String line, String host, boolean inChunks, int status)
			throws IOException {
		try (Socket socket = connect(server)) {
			send(socket, "%s HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n".formatted(line, host,
					inChunks ? "Transfer-Encoding: chunked" : "Content-Length: " + LARGE_BODY_BYTES));
			sendLargeBody(socket, inChunks);
			assertThat(answer(socket)).startsWith("HTTP/1.1 %d ".formatted(status));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "POST /v2/repository/index HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n",
			POST_HEAD + "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX: y\r\n" })
	void clientsThatDoNotSendTheirWholeBodyDoNotDelayOtherClients(String request) throws IOException {
		List<Socket> sockets = new ArrayList<>();
		for (int i = 0; i < 2 * MAX_ACTIVE_REQUESTS; i++) {
			Socket socket = connect(longDeadlineServer);
			sockets.add(socket);
			send(socket, request);
		}
		// A request waits for a second if no permit is free.
		await().atMost(Duration.ofSeconds(20))
			.untilAsserted(() -> assertTimeout(Duration.ofMillis(900),
					() -> longDeadlineServer.request().get("/v2").then().statusCode(200)));
		for (Socket socket : sockets) {
			socket.close();
		}
	}

	@Test
	void clientThatSendsTooManyChunksAfter100ContinueSees413() throws IOException {
		try (Socket socket = connect(server)) {
			send(socket, POST_HEAD + "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n");
			assertThat(firstLine(socket)).startsWith("HTTP/1.1 100");
			sendLargeBody(socket, true);
			assertThat(answer(socket)).contains("HTTP/1.1 413 ");
		}
	}

	@Test
	void clientThatSendsItsWholeBodyFirstSees503() throws IOException {
		try (Socket socket = connect(Server.loading())) {
			send(socket, POST_HEAD + "Content-Length: " + LARGE_BODY_BYTES + "\r\n\r\n");
			sendLargeBody(socket, false);
			assertThat(answer(socket)).startsWith("HTTP/1.1 503 ");
		}
	}

	@Test
	void doesNotWaitForTheRestOfAnUnusedBodyUntilTheDeadline() throws IOException {
		Map<String, Integer> statusByRequest = Map.of("POST /api/predict/m HTTP/1.1\r\nContent-Length: 20000000", 413,
				"POST / HTTP/1.1\r\nContent-Length: 9223372036854775807", 413,
				"GET /livez HTTP/1.1\r\nContent-Length: 00000000000000000000000000005", 200,
				"GET /v2 HTTP/1.1\r\nTransfer-Encoding: chunked", 200,
				"GET /v2 HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5", 200,
				"GET /livez HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked", 200);
		Map<String, Socket> sockets = new HashMap<>();
		// An answer takes up to two seconds, so all clients wait at the same time.
		for (String request : statusByRequest.keySet()) {
			Socket socket = connect(longDeadlineServer);
			sockets.put(request, socket);
			send(socket, request + "\r\nHost: a\r\n\r\n");
		}
		for (Map.Entry<String, Socket> client : sockets.entrySet()) {
			try (Socket socket = client.getValue()) {
				assertThat(answer(socket)).as(client.getKey())
					.startsWith("HTTP/1.1 %d ".formatted(statusByRequest.get(client.getKey())));
			}
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "Expect: 100-continue\r\n" })
	void refusesALengthAboveTheLimitAtOnce(String expect) {
		assertTimeout(Duration.ofSeconds(1), () -> {
			try (Socket socket = connect(server)) {
				send(socket, POST_HEAD + expect + "Content-Length: " + LARGE_BODY_BYTES + "\r\n\r\n");
				assertThat(firstLine(socket)).startsWith("HTTP/1.1 413 ");
			}
		});
	}

	@Test
	void answers100ContinueIfTheBodyIsAccepted() throws IOException {
		try (Socket socket = connect(server)) {
			String body = "{\"instances\":[[1,2]]}";
			send(socket, POST_HEAD + "Connection: close\r\nExpect: 100-continue\r\nContent-Length: " + body.length()
					+ "\r\n\r\n");
			assertThat(firstLine(socket)).startsWith("HTTP/1.1 100");
			send(socket, body);
			assertThat(answer(socket)).contains("HTTP/1.1 200 ");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "Content-Encoding: gzip\r\n" })
	void answersAtTheDeadlineWhileTheBodyArrives(String encoding) {
		assertTimeout(Duration.ofSeconds(3), () -> {
			try (Socket socket = connect(server)) {
				send(socket, POST_HEAD + encoding + "X-Request-Timeout-Ms: 200\r\nContent-Length: 100\r\n\r\n{");
				assertThat(firstLine(socket)).startsWith("HTTP/1.1 504 ");
			}
		});
	}

	@Test
	void answersABodyThatEndsEarlyWith400() throws IOException {
		try (Socket socket = connect(server)) {
			send(socket, POST_HEAD + "Content-Length: 100\r\n\r\n{");
			socket.shutdownOutput();
			assertThat(answer(socket)).startsWith("HTTP/1.1 400 ").contains("The body ended early");
		}
	}

	@Test
	void answersChunksThatAreNotValidWith400() throws IOException {
		try (Socket socket = connect(server)) {
			send(socket, POST_HEAD + "Transfer-Encoding: chunked\r\n\r\nx\r\n");
			assertThat(answer(socket)).startsWith("HTTP/1.1 400 ").contains("its chunks are not valid");
		}
	}

	@Test
	void closesIdleConnectionsNearTheLimit() throws IOException {
		List<Socket> idle = new ArrayList<>();
		try (Server smallServer = Server.ready(TestModel::new, "inference.deadline=1m",
				"server.tomcat.max-connections=8")) {
			for (int i = 0; i < 20; i++) {
				Socket socket = connect(smallServer);
				idle.add(socket);
				send(socket, "GET /v2 HTTP/1.1\r\nHost: a\r\n\r\n");
				assertThat(firstLine(socket)).startsWith("HTTP/1.1 200 ");
			}
			for (Socket socket : idle) {
				socket.close();
			}
		}
	}

	@Test
	void keepsTheConnectionIfTheRefusedBodyHasArrived() throws IOException {
		try (Socket socket = connect(server)) {
			String body = "x".repeat(60_000);
			send(socket, POST_HEAD + "Content-Encoding: br\r\nContent-Length: " + body.length() + "\r\n\r\n" + body);
			send(socket, "GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
			assertThat(answer(socket)).startsWith("HTTP/1.1 415 ").contains("HTTP/1.1 200 ");
		}
	}

	private static Socket connect(Server server) throws IOException {
		Socket socket = new Socket("localhost", server.port());
		socket.setSoTimeout(10_000);
		return socket;
	}

	private static void send(Socket socket, String text) throws IOException {
		socket.getOutputStream().write(text.getBytes(StandardCharsets.ISO_8859_1));
	}

	private static void sendLargeBody(Socket socket, boolean inChunks) throws IOException {
		send(socket, inChunks ? Integer.toHexString(LARGE_BODY_BYTES) + "\r\n" : "");
		socket.getOutputStream().write(new byte[LARGE_BODY_BYTES]);
		send(socket, inChunks ? "\r\n0\r\n\r\n" : "");
	}

	private static String firstLine(Socket socket) throws IOException {
		StringBuilder line = new StringBuilder();
		for (int read = socket.getInputStream().read(); read >= 0
				&& read != '\n'; read = socket.getInputStream().read()) {
			line.append((char) read);
		}
		return line.toString();
	}

	private static String answer(Socket socket) throws IOException {
		return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
	}

}
