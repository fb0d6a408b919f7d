package inference.protocol;

import java.io.IOException;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;

import org.springframework.core.io.ClassPathResource;

import inference.protocol.Route.Operation;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The protocols' routes and their document, which must be the same.
 */
class OpenApiRoutesTests {

	@Test
	void everyRouteIsDocumentedAndNoOther() throws IOException {
		JsonNode document = Tensors.JSON.readTree(new ClassPathResource("openapi.json").getContentAsByteArray());
		Set<Operation> undocumented = EnumSet.allOf(Operation.class);
		document.get("paths").forEachEntry((path, item) -> {
			if (!path.startsWith("/actuator/") && !path.matches("/[a-z]+z")) {
				Route route = Route.of(path.replaceAll("[{}]", ""));
				assertThat(route).as(path).isNotNull();
				Operation operation = Objects.requireNonNull(route).operation();
				undocumented.remove(operation);
				assertThat(methods(item)).as(path).isEqualTo(Set.of(operation.methods().split(" or ")));
			}
		});
		assertThat(undocumented).isEmpty();
	}

	@Test
	void everyAlternativeIsDocumented() throws IOException {
		JsonNode document = Tensors.JSON.readTree(new ClassPathResource("openapi.json").getContentAsByteArray());
		for (String model : List.of("/v1/models/{model}%s", "/v1/models/{model}%s:predict")) {
			for (String version : List.of("", "/versions/{version}", "/labels/{label}")) {
				assertThat(document.get("paths").propertyNames()).contains(model.formatted(version));
			}
		}
		for (String model : List.of("", "/infer", "/ready", "/stats")) {
			for (String version : List.of("", "/versions/{version}")) {
				assertThat(document.get("paths").propertyNames()).contains("/v2/models/{model}" + version + model);
			}
		}
	}

	private static Set<String> methods(JsonNode item) {
		return item.propertyNames()
			.stream()
			.filter((name) -> !name.equals("parameters"))
			.map((name) -> name.toUpperCase(Locale.ROOT))
			.collect(Collectors.toSet());
	}

}
