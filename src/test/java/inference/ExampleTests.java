package inference;

import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.model.Example;
import inference.model.FakeModel;
import inference.model.Tensor;

import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.not;

/**
 * What the metadata say of the model's golden examples.
 */
class ExampleTests {

	@Test
	void theMetadataBringARequestThatWorks() {
		Map<String, Tensor> question = FakeModel.question(1.5F, -2);
		Example example = new Example(question, FakeModel.echo(question), 0);
		try (Server exemplary = Server.ready(() -> new FakeModel(example))) {
			String request = exemplary.request().get("/v2/models/adder").path("parameters.example");
			exemplary.request()
				.body(request)
				.post("/v2/models/adder/infer")
				.then()
				.statusCode(200)
				.body("outputs[0].data", equalTo(List.of(1.5, -2.0)));
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 10_001, 0 })
	void anExampleThatIsTooLargeOrCannotBeWrittenIsLeftOut(int elements) {
		Map<String, Tensor> question = FakeModel
			.question((elements > 0) ? new float[elements] : new float[] { Float.NaN });
		try (Server exemplary = Server.ready(() -> new FakeModel(new Example(question, Map.of(), 0)))) {
			exemplary.request()
				.get("/v2/models/adder")
				.then()
				.statusCode(200)
				.body("parameters", not(hasKey("example")));
		}
	}

}
