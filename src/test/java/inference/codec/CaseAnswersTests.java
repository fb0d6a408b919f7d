package inference.codec;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

import io.restassured.response.Response;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

import inference.Server;
import inference.model.ModelProperties;
import inference.model.OnnxModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/**
 * The cases in {@code models/cases/cases.json}, asked over HTTP: files as common
 * exporters write them, with the answers of ONNX Runtime in Python.
 */
class CaseAnswersTests {

	private static final Server server = Server.shared();

	@ParameterizedTest
	@MethodSource("cases")
	void answersTheOpenInferenceProtocol(JsonNode one) {
		ObjectNode body = Tensors.JSON.createObjectNode();
		ArrayNode inputs = body.putArray("inputs");
		one.get("inputs")
			.properties()
			.forEach((input) -> inputs.add(((ObjectNode) input.getValue().deepCopy()).put("name", input.getKey())));
		JsonNode answer = predict(one, body);
		assertThat(answer.get("outputs").size()).isEqualTo(one.get("outputs").size());
		for (JsonNode output : answer.get("outputs")) {
			JsonNode expected = one.get("outputs").get(output.get("name").stringValue());
			assertThat(output.get("datatype")).isEqualTo(expected.get("datatype"));
			assertThat(output.get("shape")).isEqualTo(expected.get("shape"));
			assertSame(output.get("data"), expected.get("data"));
		}
	}

	@ParameterizedTest
	@MethodSource("tables")
	void answersRowsWithTheKeysOfMaps(JsonNode one) {
		JsonNode only = one.get("inputs").iterator().next();
		ObjectNode body = Tensors.JSON.createObjectNode();
		ArrayNode instances = body.putArray("instances");
		int width = only.get("shape").get(1).asInt();
		for (int i = 0; i < only.get("data").size(); i++) {
			((i % width == 0) ? instances.addArray() : (ArrayNode) instances.get(i / width))
				.add(only.get("data").get(i));
		}
		JsonNode predictions = predict(one, body).get("predictions");
		assertThat(predictions.size()).isEqualTo(instances.size());
		one.get("outputs").properties().forEach((output) -> {
			ArrayNode column = Tensors.JSON.createArrayNode();
			JsonNode keys = one.path("keys").get(output.getKey());
			for (JsonNode prediction : predictions) {
				JsonNode value = (one.get("outputs").size() == 1) ? prediction : prediction.get(output.getKey());
				column.add(value);
				if (keys != null) {
					assertThat(value.propertyNames())
						.containsExactlyElementsOf(keys.valueStream().map(JsonNode::stringValue).toList());
				}
			}
			assertSame(column, output.getValue().get("data"));
		});
	}

	static Stream<JsonNode> cases() throws IOException {
		try (InputStream file = CaseAnswersTests.class.getResourceAsStream("/models/cases/cases.json")) {
			return Tensors.JSON.readTree(Objects.requireNonNull(file)).valueStream().toList().stream();
		}
	}

	static Stream<JsonNode> tables() throws IOException {
		return cases().filter((one) -> one.get("inputs").size() == 1)
			.filter((one) -> one.get("inputs").iterator().next().get("shape").size() == 2)
			.filter((one) -> one.get("outputs").valueStream().allMatch((output) -> output.get("shape").size() > 0));
	}

	private static JsonNode predict(JsonNode one, JsonNode body) {
		server.swap(new OnnxModel(new ModelProperties("test", "1",
				"classpath:models/cases/%s.onnx".formatted(one.get("model").stringValue()), 1, "cpu", List.of(),
				List.of())));
		Response response = server.request().body(Tensors.JSON.writeValueAsBytes(body)).post("/");
		assertThat(response.statusCode()).as(response.asString()).isEqualTo(200);
		return Tensors.JSON.readTree(response.asString());
	}

	private static void assertSame(JsonNode actual, JsonNode expected) {
		List<JsonNode> values = new ArrayList<>();
		flatten(actual, values);
		assertThat(values).hasSize(expected.size());
		for (int i = 0; i < values.size(); i++) {
			if (expected.get(i).isNumber()) {
				assertThat(values.get(i).asDouble()).isCloseTo(expected.get(i).asDouble(), within(1e-6));
			}
			else {
				assertThat(values.get(i)).isEqualTo(expected.get(i));
			}
		}
	}

	private static void flatten(JsonNode nested, List<JsonNode> values) {
		if (nested.isContainer()) {
			nested.forEach((inner) -> flatten(inner, values));
		}
		else {
			values.add(nested);
		}
	}

}
