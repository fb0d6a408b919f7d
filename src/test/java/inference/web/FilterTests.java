package inference.web;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.http.HttpServletResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.web.servlet.ServletContextInitializer;

import inference.ErrorBody;
import inference.Server;
import inference.TestModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.either;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.notNullValue;

/**
 * A filter of a fork that refuses some paths and allows all others.
 */
class FilterTests {

	private static final Server server = Server.ready(TestModel::new, (context) -> {
		ServletContextInitializer filter = (servlets) -> {
			FilterRegistration registration = servlets.addFilter("fork",
					(_, response, _) -> ((HttpServletResponse) response).sendError(401, "An API key is missing."));
			registration.addMappingForUrlPatterns(java.util.EnumSet.of(DispatcherType.REQUEST), false, "/v2/models/*",
					"/actuator/prometheus");
		};
		context.registerBean("fork", ServletContextInitializer.class, () -> filter);
	});

	@AfterAll
	static void stop() {
		server.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "/api/predict/some_service", "/api/predict/a/api/predict/b" })
	void isNotBypassedByThePrefix(String prefix) {
		boolean hasPrefixTwice = prefix.endsWith("/b");
		for (String path : new String[] { "/v2/models/m", "/actuator/prometheus", "/v2//models/m",
				"/x/../v2/models/m" }) {
			server.request()
				.urlEncodingEnabled(false)
				.get(prefix + path)
				.then()
				// A firewall such as that of Spring Security answers 400.
				.statusCode(either(equalTo(hasPrefixTwice ? 404 : 401)).or(equalTo(400)))
				.header("X-Request-Id", notNullValue())
				.contentType(ErrorBody.CONTENT_TYPE);
		}
	}

	@Test
	void sendsItsMessageAsTheError() {
		server.request()
			.post("/v2/models/m/infer")
			.then()
			.statusCode(401)
			.body(ErrorBody.SENTENCE, equalTo("An API key is missing."));
	}

	@Test
	void keepsTheConnectionAfterItsRefusal() throws IOException {
		try (Socket socket = new Socket("localhost", server.port())) {
			socket.setSoTimeout(10_000);
			socket.getOutputStream().write("""
					GET /v2/models/m HTTP/1.1\r
					Host: a\r
					\r
					GET /livez HTTP/1.1\r
					Host: a\r
					Connection: close\r
					\r
					""".getBytes(StandardCharsets.ISO_8859_1));
			String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
			assertThat(answers).startsWith("HTTP/1.1 401 ").contains("HTTP/1.1 200 ");
		}
	}

	@Test
	void doesNotAffectOtherPaths() {
		server.request().get("/api/predict/some_service/v2").then().statusCode(200);
		server.request().body("{\"instances\":[[1,2]]}").post("/api/predict/some_service").then().statusCode(200);
	}

}
