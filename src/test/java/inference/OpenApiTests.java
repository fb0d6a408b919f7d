package inference;

import java.net.http.HttpClient;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CountDownLatch;

import io.restassured.response.Response;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroups;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What the server does and what {@code /openapi.json} says it does.
 */
class OpenApiTests {

	private static final CountDownLatch loaded = new CountDownLatch(1);

	private static Server server;

	private static Server loading;

	private static OpenApi document;

	@BeforeAll
	static void start() {
		String[] properties = { "inference.model.name=m", "inference.request.max-size=64KB" };
		server = Server.ready(TestModel::new, properties);
		loading = Server.starting(() -> new TestModel(loaded), properties);
		document = new OpenApi(server.request().get("/openapi.json").then().statusCode(200).extract().asString());
	}

	@AfterAll
	static void stop() {
		server.close();
		loaded.countDown();
		loading.close();
	}

	@Test
	void everyExchangeIsAsDocumented() throws Exception {
		Set<String> seen = new HashSet<>();
		try (HttpClient client = HttpClient.newHttpClient()) {
			for (Conformance one : Conformance.all().values().stream().flatMap(List::stream).toList()) {
				boolean waits = "not yet loaded".equals(one.yaml().get("model"));
				String path = one.path().replaceFirst("/api/predict/[^/]+", "");
				boolean predicts = one.method().equals("GET") && one.body().length > 0;
				String operation = document.operation(predicts ? "POST" : one.method(), path.isEmpty() ? "/" : path);
				if (!waits) {
					server.swap(one.model());
				}
				HttpResponse<byte[]> response = client.send(one.toHttp((waits ? loading : server).port()),
						BodyHandlers.ofByteArray());
				if (operation == null) {
					assertThat(response.statusCode()).as(one.title()).isIn(404, 405);
					continue;
				}
				seen.add(operation + " " + response.statusCode());
				if (response.statusCode() == 200 && one.json() != null) {
					document.assertRequest(operation, Conformance.JSON.readTree(one.json().replace("\uFEFF", "")));
				}
				int length = response.headers()
					.firstValue(Conformance.JSON_LENGTH)
					.map(Integer::parseInt)
					.orElse(response.body().length);
				document.assertResponse(operation, response.statusCode(),
						response.headers().firstValue("Content-Type").orElseThrow(),
						OpenApi.json(response.body(), length));
			}
		}
		assertThat(seen).hasSizeGreaterThan(50);
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
			/v1/models/m:predict | {"instances":1}
			/v1/models/m:predict | {"instances":[],"inputs":[]}
			/v2/models/m/infer   | {"inputs":[{"name":"x"}]}
			/v2/models/m/infer   | {"inputs":[{"name":"x","shape":[-1],"datatype":"FP32"}]}
			/v2/models/m/infer   | {"inputs":[{"name":"x","shape":[1],"datatype":"FLOAT"}]}
			/                    | {}
			""")
	void whatIsRefusedIsNotDocumented(String path, String body) {
		String operation = Objects.requireNonNull(document.operation("POST", path));
		assertThatExceptionOfType(AssertionError.class)
			.isThrownBy(() -> document.assertRequest(operation, Conformance.JSON.readTree(body)));
	}

	@Test
	void everyQuestionIsAnsweredAsDocumented() {
		for (String path : document.paths()) {
			String operation = document.operation("GET", path);
			if (operation != null) {
				String address = path.replace("{model}", "m").replace("{version}", "1").replace("{label}", "stable");
				for (String probe : List.of("startup", "liveness", "readiness")) {
					assertAnswer(server, operation, address.replace("{probe}", probe), 200);
					assertAnswer(loading, operation, address.replace("{probe}", probe), 503);
				}
			}
		}
	}

	@Test
	void everythingActuatorHasIsDocumented() {
		assertThat(document.paths()).containsAll(server.context().getBean(PathMappedEndpoints.class).getAllPaths())
			.contains("/actuator/health/{probe}", "/startupz", "/livez", "/readyz");
		assertThat(server.context().getBean(HealthEndpointGroups.class).getNames()).containsExactlyInAnyOrder("startup",
				"liveness", "readiness");
	}

	private static void assertAnswer(Server asked, String operation, String path, int status) {
		Response response = asked.request().get(path);
		assertThat(response.statusCode()).as(path).isIn(200, status);
		boolean isJson = response.contentType().contains("json");
		JsonNode body = isJson ? Conformance.JSON.readTree(response.asString()) : null;
		document.assertResponse(operation, response.statusCode(), response.contentType(), body);
	}

}
