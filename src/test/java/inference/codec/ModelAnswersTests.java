package inference.codec;

import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import io.restassured.response.Response;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

import inference.ErrorBody;
import inference.Server;
import inference.model.DataType;
import inference.model.Model;
import inference.model.ModelProperties;
import inference.model.OnnxModel;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.hamcrest.Matchers.containsString;

/**
 * Model files whose answers are not everyday ones, in every form of a request. Inputs and
 * expected outputs, as ONNX Runtime gives them in Python, are in
 * {@code models/answers/answers.json}, where a string stands for a number that JSON does
 * not have.
 */
class ModelAnswersTests {

	private static final Server server = Server.shared();

	@ParameterizedTest
	@MethodSource("answers")
	void answersColumns(JsonNode answer) {
		JsonNode outputs = predict(answer, Tensors.JSON.createObjectNode().set("inputs", columns(answer)), 200)
			.get("outputs");
		JsonNode expected = answer.get("expected");
		expected.properties()
			.forEach((output) -> assertSame((expected.size() == 1) ? outputs : outputs.get(output.getKey()),
					output.getValue().get("data")));
	}

	@ParameterizedTest
	@MethodSource("answers")
	void answersRowsIfEachInstanceHasOne(JsonNode answer) {
		ObjectNode rows = Tensors.JSON.createObjectNode();
		JsonNode only = columns(answer).iterator().next();
		rows.set("instances", only);
		JsonNode output = answer.get("expected").iterator().next();
		String name = answer.get("expected").propertyNames().iterator().next();
		if (output.get("shape").get(0).asInt() == only.size()) {
			assertSame(predict(answer, rows, 200).get("predictions"), output.get("data"));
		}
		else {
			assertThat(predict(answer, rows, 400).get(ErrorBody.SENTENCE).stringValue())
				.containsIgnoringCase("output '%s'".formatted(name))
				.containsIgnoringCase("use \"inputs\" in place of \"instances\"");
		}
	}

	@ParameterizedTest
	@MethodSource("answers")
	void answersTheOpenInferenceProtocol(JsonNode answer) {
		ObjectNode body = Tensors.JSON.createObjectNode();
		answer.get("inputs")
			.properties()
			.forEach((input) -> body.withArray("inputs")
				.add(((ObjectNode) numbers(input.getValue())).put("name", input.getKey())));
		for (JsonNode output : predict(answer, body, 200).get("outputs")) {
			JsonNode expected = answer.get("expected").get(output.get("name").stringValue());
			assertThat(output.get("datatype")).isEqualTo(expected.get("datatype"));
			assertThat(output.get("shape")).isEqualTo(expected.get("shape"));
			assertSame(output.get("data"), expected.get("data"));
		}
	}

	@ParameterizedTest
	@CsvSource({ "single_global, 5", "nonzero, 2" })
	void pairsNoOutputOfAFixedSizeWithAsManyInstances(String model, int instances) {
		serve(model);
		String rows = String.join(",", Collections.nCopies(instances, "[1,2,3,4]"));
		server.request()
			.body("{\"instances\":[%s]}".formatted(rows))
			.post("/v1/models/m:predict")
			.then()
			.statusCode(400)
			.body(ErrorBody.SENTENCE, containsString("has %d rows for any number of instances".formatted(instances)));
	}

	@Test
	void readsNoNaNAsAnotherNumber() {
		serve("nan_in");
		String body = "{\"instances\":[[NaN,1],[-Infinity,Infinity]]}";
		assertThat(server.request().body(body).post("/").asString())
			.isEqualTo("{\"predictions\":[[true,false],[false,false]]}");
	}

	@Test
	void answersAnObjectForEachInstanceOfAModelThatPutsOutMaps() {
		server.swap(new Classifier());
		assertThat(server.request().get("/v2/models/m").jsonPath().getList("outputs.parameters.keys"))
			.isEqualTo(List.of(List.of("a", "b")));
		String rows = "{\"instances\":[[1],[2]]}";
		assertThat(server.request().body(rows).post("/").asString())
			.isEqualTo("{\"predictions\":[{\"label\":\"b\",\"probability\":{\"a\":0.25,\"b\":0.75}},"
					+ "{\"label\":\"b\",\"probability\":{\"a\":0.25,\"b\":0.75}}]}");
		String columns = "{\"inputs\":[[1],[2]]}";
		assertThat(server.request().body(columns).post("/").asString())
			.isEqualTo("{\"outputs\":{\"label\":[\"b\",\"b\"],\"probability\":[[0.25,0.75],[0.25,0.75]]}}");
		String wanted = "{\"outputs\":[{\"name\":\"probability\"}],\"instances\":[[1],[2]]}";
		assertThat(server.request().body(wanted).post("/").asString())
			.isEqualTo("{\"predictions\":[{\"a\":0.25,\"b\":0.75},{\"a\":0.25,\"b\":0.75}]}");
	}

	static Stream<JsonNode> answers() throws IOException {
		try (InputStream file = ModelAnswersTests.class.getResourceAsStream("/models/answers/answers.json")) {
			return Tensors.JSON.readTree(Objects.requireNonNull(file)).valueStream().toList().stream();
		}
	}

	private static JsonNode predict(JsonNode answer, JsonNode body, int status) {
		serve(answer.get("model").stringValue());
		Response response = server.request().body(Tensors.JSON.writeValueAsBytes(body)).post("/");
		assertThat(response.statusCode()).as(response.asString()).isEqualTo(status);
		return Tensors.JSON.readTree(response.asString());
	}

	private static void serve(String model) {
		server.swap(new OnnxModel(new ModelProperties("test", "1", "classpath:models/answers/%s.onnx".formatted(model),
				1, "cpu", List.of(), List.of())));
	}

	private static ObjectNode columns(JsonNode answer) {
		ObjectNode columns = Tensors.JSON.createObjectNode();
		answer.get("inputs").properties().forEach((input) -> {
			JsonNode tensor = numbers(input.getValue());
			int width = tensor.get("shape").get(1).asInt();
			for (int i = 0; i < tensor.get("data").size(); i++) {
				if (i % width == 0) {
					columns.withArray(input.getKey()).addArray();
				}
				((ArrayNode) columns.get(input.getKey()).get(i / width)).add(tensor.get("data").get(i));
			}
		});
		return columns;
	}

	// The tensor with numbers in place of "NaN" and the like.
	private static JsonNode numbers(JsonNode tensor) {
		String text = tensor.toString().replaceAll("\"(NaN|-?Infinity)\"", "$1");
		return Tensors.JSON.readTree(text);
	}

	private static void assertSame(JsonNode actual, JsonNode expected) {
		List<JsonNode> values = new ArrayList<>();
		flatten(actual, values);
		assertThat(values).hasSize(expected.size());
		for (int i = 0; i < values.size(); i++) {
			if (expected.get(i).isFloatingPointNumber()) {
				assertThat(values.get(i).doubleValue()).isCloseTo(expected.get(i).doubleValue(), within(1e-6));
			}
			else {
				assertThat(values.get(i).asString()).isEqualTo(expected.get(i).asString());
			}
		}
	}

	private static void flatten(JsonNode nested, List<JsonNode> values) {
		if (nested.isArray()) {
			nested.forEach((inner) -> flatten(inner, values));
		}
		else {
			values.add(nested);
		}
	}

	/** Says "b" of everything, with the probabilities as a map. */
	private static final class Classifier implements Model {

		@Override
		public Signature signature() {
			return new Signature(List.of(new TensorSpec("x", DataType.FP32, Shape.of(-1, 1))),
					List.of(new TensorSpec("label", DataType.BYTES, Shape.of(-1)),
							new TensorSpec("probability", DataType.FP32, Shape.of(-1, 2), List.of("a", "b"))));
		}

		@Override
		public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
			return Map.of("label", Tensor.ofStrings(Shape.of(2), List.of("b", "b")), "probability",
					Tensor.ofFloats(Shape.of(2, 2), 0.25f, 0.75f, 0.25f, 0.75f));
		}

	}

}
