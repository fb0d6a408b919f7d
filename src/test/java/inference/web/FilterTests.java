package inference.web;

import java.io.IOException;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.FilterRegistration;
import jakarta.servlet.http.HttpServletResponse;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.web.servlet.ServletContextInitializer;
import org.springframework.web.filter.ShallowEtagHeaderFilter;

import inference.ErrorBody;
import inference.Server;
import inference.model.Gate;
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
			registration.addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/v2/models/*",
					"/actuator/prometheus");
			servlets.addFilter("etag", new ShallowEtagHeaderFilter())
				.addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
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
	void canHoldBackTheAnswerOfTheHomePage() {
		server.request()
			.get("/")
			.then()
			.statusCode(200)
			.header("ETag", notNullValue())
			.body("status", equalTo("alive"));
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

	@Test
	void answersTheRequestsThatWaitForAPermitWhenTheServerStops() throws Exception {
		// The filter holds up as many requests as there are permits, so 16 more wait.
		Gate gate = new Gate();
		AtomicInteger begunRequests = new AtomicInteger();
		Server slowServer = Server.ready(TestModel::new,
				(context) -> context.registerBean("fork", Filter.class, () -> (request, response, chain) -> {
					begunRequests.incrementAndGet();
					gate.pass();
					chain.doFilter(request, response);
				}));
		HttpRequest request = HttpRequest
			.newBuilder(URI.create("http://localhost:%d/v1/models/m:predict".formatted(slowServer.port())))
			.POST(BodyPublishers.ofString("{\"instances\":[[1,2]]}"))
			.build();
		Gauge backlog = slowServer.context().getBean(MeterRegistry.class).get("inference.backlog").gauge();
		try (HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()) {
			List<CompletableFuture<HttpResponse<String>>> answers = IntStream.range(0, 80)
				.mapToObj((_) -> client.sendAsync(request, BodyHandlers.ofString()))
				.toList();
			Awaitility.await()
				.pollInterval(Duration.ofMillis(10))
				.until(() -> begunRequests.get() + backlog.value() == 80);
			Thread closing = Thread.ofPlatform().start(slowServer::close);
			Awaitility.await().during(Duration.ofMillis(300)).until(() -> isClosed(slowServer.port()));
			gate.open();
			assertThat(answers).extracting(CompletableFuture::join)
				.extracting(HttpResponse::statusCode)
				.containsOnly(200);
			closing.join();
		}
	}

	private static boolean isClosed(int port) {
		try (Socket _ = new Socket("localhost", port)) {
			return false;
		}
		catch (IOException ex) {
			return true;
		}
	}

}
