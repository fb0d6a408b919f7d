package inference.web;

import org.springframework.http.HttpMethod;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

import io.restassured.response.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;

import org.springframework.boot.actuate.endpoint.web.PathMappedEndpoints;
import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroups;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.web.bind.annotation.RequestMapping;

import inference.Server;
import inference.model.ModelProperties;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Compares {@code /openapi.json} with the routes and the answers of the server.
 */
class OpenApiTests {

	private static final Server server = Server.shared();

	private static final OpenApi document = new OpenApi(server);

	@ParameterizedTest
	@CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
			/v1/models/m:predict | {"instances":1}
			/v1/models/m:predict | {"instances":[],"inputs":[]}
			/v2/models/m/infer   | {"inputs":[{"name":"x"}]}
			/v2/models/m/infer   | {"inputs":[{"name":"x","shape":[-1],"datatype":"FP32"}]}
			/v2/models/m/infer   | {"inputs":[{"name":"x","shape":[1],"datatype":"FLOAT"}]}
			/                    | {}
			""")
	void refusesBodiesThatTheServerRefuses(String path, String body) {
		String operation = Objects.requireNonNull(document.operation("POST", path));
		assertThatExceptionOfType(AssertionError.class)
			.isThrownBy(() -> document.assertRequest(operation, Conformance.JSON.readTree(body)));
	}

	@Test
	void describesEveryAnswerToGet() {
		for (String path : document.paths()) {
			String operation = document.operation("GET", path);
			if (operation != null) {
				String address = path.replace("{model}", "m").replace("{version}", "1").replace("{label}", "stable");
				for (String probePath : Stream.of("startup", "liveness", "readiness")
					.map((probe) -> address.replace("{probe}", probe))
					.distinct()
					.toList()) {
					assertAnswer(server, operation, probePath, 200);
					assertAnswer(server, operation, "/api/predict/some_service" + probePath, 200);
					assertAnswer(Server.loading(), operation, probePath, 503);
				}
			}
		}
	}

	@Test
	void describesEveryActuatorEndpoint() {
		assertThat(document.paths()).containsAll(server.context().getBean(PathMappedEndpoints.class).getAllPaths())
			.contains("/actuator/health/{probe}", "/startupz", "/livez", "/readyz");
		assertThat(server.context().getBean(HealthEndpointGroups.class).getNames()).containsExactlyInAnyOrder("startup",
				"liveness", "readiness");
	}

	@Test
	void listsEveryRouteAndNoOther() {
		assertThat(documentedRoutes()).isEqualTo(servedRoutes());
	}

	private static void assertAnswer(Server testedServer, String operation, String path, int status) {
		Response response = testedServer.request().redirects().follow(false).get(path);
		assertThat(response.statusCode()).as(path).isIn(200, status);
		boolean isJson = response.contentType().contains("json");
		JsonNode body = isJson ? Conformance.JSON.readTree(response.asString()) : null;
		document.assertResponse(operation, response.statusCode(), response.contentType(), body);
	}

	private static Set<String> documentedRoutes() {
		Set<String> routes = new TreeSet<>();
		for (String path : document.paths()) {
			for (HttpMethod method : HttpMethod.values()) {
				boolean isController = !path.startsWith("/actuator/") && !path.matches("/[a-z]+z");
				if (isController && document.operation(method.name(), path) != null) {
					routes.add(method + " " + path);
				}
			}
		}
		return routes;
	}

	private static Set<String> servedRoutes() {
		Set<String> routes = new TreeSet<>();
		Stream.of(HomeController.class, MetadataController.class)
			.flatMap((controller) -> Stream.of(controller.getDeclaredMethods()))
			.map((method) -> AnnotatedElementUtils.findMergedAnnotation(method, RequestMapping.class))
			.forEach((mapping) -> {
				if (mapping != null) {
					for (String path : mapping.value()) {
						String plain = path.replaceAll(":\\[\\^:]\\+}", "}");
						routes.add(mapping.method()[0] + " " + plain);
					}
				}
			});
		ModelProperties model = new ModelProperties("{model}", "{version}", "nowhere", 1, "cpu", List.of(), List.of());
		for (String path : PredictionServlet.paths(model)) {
			routes.add("POST " + (path.isEmpty() ? "/"
					: path.replace("/labels/stable", "/labels/{label}").replace("/versions/0", "/versions/{version}")));
		}
		return routes;
	}

}
