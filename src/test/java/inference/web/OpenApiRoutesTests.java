package inference.web;

import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.io.ClassPathResource;
import org.springframework.web.bind.annotation.RequestMapping;

import inference.model.ModelProperties;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Holds the OpenAPI document to the routes of the controllers and of the servlet.
 */
class OpenApiRoutesTests {

	@Test
	void everyRouteIsDocumentedAndNoOther() throws IOException {
		assertThat(documented()).isEqualTo(served());
	}

	private static Set<String> documented() throws IOException {
		JsonNode document = JsonMapper.shared().readTree(new ClassPathResource("openapi.json").getContentAsByteArray());
		Set<String> routes = new TreeSet<>();
		document.get("paths").forEachEntry((path, item) -> {
			if (!path.startsWith("/actuator/") && !path.matches("/[a-z]+z")) {
				item.propertyNames()
					.stream()
					.filter((name) -> !name.equals("parameters"))
					.forEach((method) -> routes.add(method.toUpperCase(Locale.ROOT) + " " + path));
			}
		});
		return routes;
	}

	private static Set<String> served() {
		Set<String> routes = new TreeSet<>();
		Stream.of(HomeController.class, V1Controller.class, V2Controller.class)
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
		ModelProperties model = new ModelProperties("{model}", "{version}", "nowhere", 1, "cpu", List.of());
		for (String path : PredictionServlet.paths(model)) {
			routes.add("POST " + (path.isEmpty() ? "/" : path.replace("/labels/stable", "/labels/{label}")));
		}
		return routes;
	}

}
