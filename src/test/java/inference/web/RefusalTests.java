package inference.web;

import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.mock.web.MockHttpServletRequest;
import org.springframework.mock.web.MockHttpServletResponse;
import org.springframework.web.context.request.async.AsyncRequestNotUsableException;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.mvc.method.annotation.ExceptionHandlerExceptionResolver;

import inference.ErrorBody;
import inference.Server;
import inference.TestModel;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Requests that Tomcat refuses before any servlet sees them, sent through a socket.
 */
@ExtendWith(OutputCaptureExtension.class)
class RefusalTests {

	private static final Server server = Server.shared();

	@ParameterizedTest
	@ValueSource(strings = { "my_svc:8000", "my_svc", "_a_", "model_v1.default.svc.cluster.local", "localhost",
			"10.0.0.1:8000", "[::1]:8000", "[fe80::1]", "a-b.c:1", "svc.ns.svc.cluster.local.:8000", "x_y:65535" })
	void acceptsEveryHostThatPlatformsSend(String host) throws IOException {
		String answer = send("GET /livez HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
		assertThat(answer).startsWith("HTTP/1.1 200 ");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
			400 | GET /a%2Fb HTTP/1.1\\r\\nHost: a
			400 | GET /%zz HTTP/1.1\\r\\nHost: a
			400 | GET /v2;%zz HTTP/1.1\\r\\nHost: a
			400 | POST /;a=%z HTTP/1.1\\r\\nHost: a
			400 | GET /%00 HTTP/1.1\\r\\nHost: a
			400 | GET /a\\\\b HTTP/1.1\\r\\nHost: a
			400 | GET /a b HTTP/1.1\\r\\nHost: a
			400 | GET /{x} HTTP/1.1\\r\\nHost: a
			400 | GET /livez HTTP/1.1
			400 | GET /livez HTTP/1.1\\r\\nHost: a\\r\\nHost: b
			400 | GET /livez HTTP/1.1\\r\\nHost: a b
			400 | GET /livez HTTP/1.1\\r\\nHost: a:x
			400 | GET /livez HTTP/1.1\\r\\nHost: a\\rb
			400 | GET /livez HTTP/1.1\\r\\nHost: a\\r\\nX Y: z
			400 | POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: x
			400 | POST / HTTP/1.1\\r\\nHost: a\\r\\nContent-Length: 1\\r\\nContent-Length: 2
			400 | GET /actuator/info HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nx
			400 | POST /v2/repository/index HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\nx
			501 | POST / HTTP/1.1\\r\\nHost: a\\r\\nTransfer-Encoding: foo
			417 | POST / HTTP/1.1\\r\\nHost: a\\r\\nExpect: foo
			505 | GET /livez HTTP/2.0\\r\\nHost: a
			405 | TRACE / HTTP/1.1\\r\\nHost: a
			405 | TRACE /v2 HTTP/1.1\\r\\nHost: a
			405 | FOO / HTTP/1.1\\r\\nHost: a
			405 | FOO /v2 HTTP/1.1\\r\\nHost: a
			404 | FOO /nothing HTTP/1.1\\r\\nHost: a
			501 | CONNECT a:1 HTTP/1.1\\r\\nHost: a:1
			404 | GET /error HTTP/1.1\\r\\nHost: a
			404 | GET /actuator/health/nope HTTP/1.1\\r\\nHost: a
			404 | GET /api/predict/x/.. HTTP/1.1\\r\\nHost: a
			404 | POST /api/predict/x/.. HTTP/1.1\\r\\nHost: a
			404 | GET /api/predict/x/%2e%2e HTTP/1.1\\r\\nHost: a
			400 | GET /actuator/health?x=%zz HTTP/1.1\\r\\nHost: a
			404 | GET /api/predict/ HTTP/1.1\\r\\nHost: a
			""")
	void answersInJsonWithTheStatusOfTheError(int status, String head) throws IOException {
		assertRefused(status, send(head.translateEscapes() + "\r\nConnection: close\r\n\r\n"));
	}

	@Test
	void answersLargeOrManyHeadersWith431(CapturedOutput output) throws IOException {
		String large = "x".repeat(20_000);
		assertRefused(431, send("GET /livez HTTP/1.1\r\nHost: a\r\nX: " + large + "\r\nConnection: close\r\n\r\n"));
		assertRefused(431, send("GET /" + large + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
		assertRefused(431, send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n" + large));
		assertThat(send("GET /livez HTTP/1.1\r\nHost: a\r\n" + "X: y\r\n".repeat(100) + "\r\n"))
			.startsWith("HTTP/1.1 431 ")
			.contains("There are more than 100 headers");
		assertThat(output).doesNotContain("ERROR");
	}

	@ParameterizedTest
	@ValueSource(strings = { "Accept:", "Accept: ;", "Accept: nonsense", "Accept: text/html", "Accept: image/png",
			"Content-Type:", "Content-Type: nonsense" })
	void answersMetricsWhateverTheClientAccepts(String accept) throws IOException {
		assertThat(send("GET /actuator/prometheus HTTP/1.1\r\nHost: a\r\n" + accept + "\r\nConnection: close\r\n\r\n"))
			.startsWith("HTTP/1.1 200 ");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "openapi.json", "v1/models", "v2/models/m" })
	void doesNotParseForms(String path) throws IOException {
		assertThat(send("GET /" + path
				+ " HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data\r\nConnection: close\r\n\r\n"))
			.startsWith("HTTP/1.1 200 ");
	}

	@Test
	void answersInJsonEvenIfSpringIncludesStackTraces() {
		try (Server verbose = Server.ready(TestModel::new, "spring.web.error.include-stacktrace=always")) {
			verbose.request()
				.urlEncodingEnabled(false)
				.get("/a%2Fb")
				.then()
				.statusCode(400)
				.contentType(ErrorBody.CONTENT_TYPE);
		}
	}

	@Test
	void doesNotRefuseThatALevelOfTheLogIsChangedIfThatIsAllowed() {
		try (Server adjustable = Server.ready(TestModel::new,
				"management.endpoints.web.exposure.include=health,loggers",
				"management.endpoint.loggers.access=unrestricted")) {
			adjustable.request()
				.contentType("application/json")
				.body("{\"configuredLevel\":null}")
				.post("/actuator/loggers/inference.unused")
				.then()
				.statusCode(204);
		}
	}

	@Test
	void doesNotReportToTomcatThatAClientHasGone() {
		MockHttpServletResponse answer = new MockHttpServletResponse();
		answer.setCommitted(true);
		List<HandlerExceptionResolver> resolvers = new ArrayList<>(List.of(new ExceptionHandlerExceptionResolver()));
		new WebConfiguration().extendHandlerExceptionResolvers(resolvers);
		HandlerExceptionResolver resolver = resolvers.getLast();
		MockHttpServletRequest request = new MockHttpServletRequest();
		assertThat(resolver.resolveException(request, answer, null, new AsyncRequestNotUsableException("gone")))
			.isNotNull();
		assertThat(resolver.resolveException(request, answer, null, new IOException("Broken pipe"))).isNotNull();
		assertThat(resolver.resolveException(request, answer, null, new IllegalStateException())).isNull();
	}

	@Test
	void ignoresRangesOfTheOpenApiDocument() throws IOException {
		assertThat(send("GET /openapi.json HTTP/1.1\r\nHost: a\r\nRange: x\r\nConnection: close\r\n\r\n"))
			.startsWith("HTTP/1.1 200 ");
	}

	@ParameterizedTest
	@ValueSource(strings = { "Authorization: Bearer SECRET\u0001", "Cookie: a=SECRET\u0001\"", "SECRET: \u0000",
			"SECRET SECRET: x", "X-Request-Id: \u0007SECRET", "Host: SECRET/", "Content-Length: SECRET",
			"Accept: SECRET", "Content-Type: SECRET/\u0001" })
	void logsNoHeader(String header, CapturedOutput output) throws IOException {
		send("GET /%zz?SECRET HTTP/1.1\r\nHost: a\r\n" + header + "\r\nConnection: close\r\n\r\n");
		send("POST /?SECRET=%zz HTTP/1.1\r\nHost: a\r\n" + header + "\r\nConnection: close\r\n\r\n");
		assertThat(output).doesNotContain("SECRET");
	}

	private static void assertRefused(int status, String answer) {
		// A fork's firewall, such as that of Spring Security, answers 400 to unusual
		// paths.
		assertThat(answer).matches("(?s)HTTP/1.1 (%d|400) .*".formatted(status))
			.containsIgnoringCase("\r\nContent-Type: %s\r\n".formatted(ErrorBody.CONTENT_TYPE))
			.containsIgnoringCase("\r\nX-Request-Id: ")
			.doesNotContain("null");
		String body = answer.substring(answer.indexOf("\r\n\r\n") + 4);
		assertThat(Conformance.JSON.readTree(body).propertyNames())
			.containsExactlyInAnyOrderElementsOf(ErrorBody.MEMBERS);
	}

	private static String send(String request) throws IOException {
		try (Socket socket = new Socket("localhost", server.port())) {
			socket.setSoTimeout(10_000);
			socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
			return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
		}
	}

}
