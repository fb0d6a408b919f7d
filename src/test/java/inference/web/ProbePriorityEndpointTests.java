package inference.web;

import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletResponse;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.web.servlet.ServletContextInitializer;

import inference.Server;
import inference.TestModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

/**
 * The kind of thread that answers a request, as a filter sees it.
 */
class ProbePriorityEndpointTests {

	private static final int MAX_PROBE_THREADS = 8;

	private static final Server server = Server.ready(TestModel::new, (context) -> {
		ServletContextInitializer filter = (servlets) -> servlets.addFilter("fork", (request, response, chain) -> {
			String thread = Thread.currentThread().isVirtual() ? "virtual" : "platform";
			((HttpServletResponse) response).setHeader("X-Thread", thread);
			chain.doFilter(request, response);
		}).addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
		context.registerBean("fork", ServletContextInitializer.class, () -> filter);
	}, "inference.deadline=1m");

	@AfterAll
	static void stop() {
		server.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/livez", "/readyz?x=y", "/startupz/", "/actuator/health/liveness", "/v2/health/ready" })
	void runsProbesOnPlatformThreads(String path) {
		server.request().get(path).then().statusCode(200).header("X-Thread", equalTo("platform"));
		server.request().head(path).then().statusCode(200).header("X-Thread", equalTo("platform"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/v2", "/actuator/prometheus", "/livezz" })
	void runsOtherRequestsOnVirtualThreads(String path) {
		server.request().get(path).then().header("X-Thread", equalTo("virtual"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "GET /livez HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n",
			"GET /livez HTTP/1.1\r\nHost: a\r\n\r\nPOST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n" })
	void doesNotBlockAThreadForABody(String probeWithMissingBody) throws IOException {
		List<Socket> sockets = new ArrayList<>();
		try {
			for (int i = 0; i < 2 * MAX_PROBE_THREADS; i++) {
				Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.port());
				sockets.add(socket);
				socket.getOutputStream().write(probeWithMissingBody.getBytes(StandardCharsets.US_ASCII));
				assertThat(socket.getInputStream().readNBytes("HTTP/1.1 200".length())).asString()
					.isEqualTo("HTTP/1.1 200");
			}
			Awaitility.await().until(() -> server.request().get("/livez").header("X-Thread").equals("platform"));
		}
		finally {
			for (Socket socket : sockets) {
				socket.close();
			}
		}
	}

}
