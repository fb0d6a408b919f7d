package inference.web;

import java.util.Collections;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import inference.ErrorBody;
import inference.Server;
import inference.model.DataType;
import inference.model.ModelProperties;
import inference.model.OnnxModel;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;

/**
 * Answers of models with no inputs, with several outputs, with keys, or with outputs that
 * do not have one row for each row of the inputs.
 */
class ModelAnswersTests {

	private final Server server = Server.shared();

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			single_global | z | [5]    | [55.5,56.5,57.5,58.5,59.5]
			nonzero       | y | [2,10] | [[0,0,0,0,1,1,1,1,2,2],[0,1,2,3,0,1,2,3,0,3]]
			""")
	void answersAnOutputWithoutARowForEachInstanceExceptInTheRowForm(String model, String output, String shape,
			String columns) {
		serve(model);
		String rows = "[[1,2,3,4],[0.5,-1,40,2],[-3,0,0,7]]";
		assertThat(answer("{\"inputs\":%s}".formatted(rows))).isEqualTo("{\"outputs\":%s}".formatted(columns));
		assertThat(answer(
				"{\"inputs\":[{\"name\":\"x\",\"shape\":[3,4],\"datatype\":\"FP32\",\"data\":%s}]}".formatted(rows)))
			.contains("\"name\":\"%s\"".formatted(output),
					"\"shape\":%s,\"data\":[%s]".formatted(shape, columns.replaceAll("[\\[\\]]", "")));
		assertRefused(rows, "Use \"inputs\" in place of \"instances\": output '%s' has shape".formatted(output));
	}

	@ParameterizedTest
	@CsvSource({ "single_global, 5", "nonzero, 2" })
	void refusesTheRowFormIfTheNumbersOfRowsAreEqualByChance(String model, int instances) {
		serve(model);
		assertRefused(Collections.nCopies(instances, "[1,2,3,4]").toString(),
				"always has %d rows, whatever the number of instances is: use \"inputs\" in place of \"instances\""
					.formatted(instances));
	}

	@Test
	void answersRowsOfAnOutputWhoseRankDiffersFromItsDeclaration() {
		serve("lie_rank");
		assertThat(answer("{\"instances\":[[1,2,3,4],[5,6,7,8]]}"))
			.isEqualTo("{\"predictions\":[[[1.0,2.0,3.0,4.0]],[[5.0,6.0,7.0,8.0]]]}");
	}

	@Test
	void answersAModelWithoutInputs() {
		serve("no_inputs");
		assertThat(answer("{\"inputs\":[]}")).contains("\"shape\":[3],\"data\":[0.0,1.0,2.0]");
	}

	@Test
	void answersAnObjectForEachInstanceOfAnOutputWithKeys() {
		this.server.swap(new Identity(new Signature(
				List.of(new TensorSpec("label", DataType.BYTES, Shape.of(-1)),
						new TensorSpec("scores", DataType.FP32, Shape.of(-1, 2))),
				List.of(new TensorSpec("same-label", DataType.BYTES, Shape.of(-1)),
						new TensorSpec("same-scores", DataType.FP32, Shape.of(-1, 2), List.of("a", "b"))))));
		assertThat(this.server.request().get("/v2/models/m").jsonPath().getList("outputs.parameters.keys"))
			.isEqualTo(List.of(List.of("a", "b")));
		String instances = "\"instances\":[{\"label\":\"b\",\"scores\":[0.25,0.75]},{\"label\":\"a\",\"scores\":[1,0]}]";
		assertThat(answer("{%s}".formatted(instances)))
			.isEqualTo("{\"predictions\":[{\"same-label\":\"b\",\"same-scores\":{\"a\":0.25,\"b\":0.75}},"
					+ "{\"same-label\":\"a\",\"same-scores\":{\"a\":1.0,\"b\":0.0}}]}");
		assertThat(answer("{\"outputs\":[{\"name\":\"same-scores\"}],%s}".formatted(instances)))
			.isEqualTo("{\"predictions\":[{\"a\":0.25,\"b\":0.75},{\"a\":1.0,\"b\":0.0}]}");
		assertThat(answer("{\"inputs\":{\"label\":[\"b\"],\"scores\":[[0.25,0.75]]}}"))
			.isEqualTo("{\"outputs\":{\"same-label\":[\"b\"],\"same-scores\":[[0.25,0.75]]}}");
	}

	private void serve(String file) {
		this.server.swap(new OnnxModel(new ModelProperties("m", "1", "classpath:models/cases/%s.onnx".formatted(file),
				1, "cpu", List.of(), List.of())));
	}

	private String answer(String body) {
		return this.server.request().body(body).post("/").then().statusCode(200).extract().asString();
	}

	private void assertRefused(String instances, String sentence) {
		this.server.request()
			.body("{\"instances\":%s}".formatted(instances))
			.post("/")
			.then()
			.statusCode(400)
			.body(ErrorBody.SENTENCE, containsString(sentence));
	}

}
