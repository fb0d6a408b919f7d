package inference.web;

import java.util.List;
import java.util.Map;

import io.micrometer.core.instrument.Timer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.Server;
import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.model.DataType;
import inference.model.Example;
import inference.model.FakeModel;
import inference.model.Model;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.hasKey;
import static org.hamcrest.Matchers.not;

/**
 * The metadata of models with golden examples, and of any rank.
 */
class MetadataTests {

	private final Server server = Server.shared();

	@Test
	void offersTheGoldenExampleAsARequest() {
		Map<String, Tensor> question = FakeModel.question(1.5F, -2);
		this.server.swap(new FakeModel(new Example(question, FakeModel.echo(question), 0)));
		String request = this.server.request().get("/v2/models/m").path("parameters.example");
		this.server.request()
			.body(request)
			.post("/v2/models/m/infer")
			.then()
			.statusCode(200)
			.body("outputs[0].data", equalTo(List.of(1.5, -2.0)));
	}

	@Test
	void offersAnExampleWhoseTextContainsNaN() {
		Map<String, Tensor> inputs = Map.of("x", Tensor.ofStrings(Shape.of(1), List.of("NaN and Infinity")));
		this.server.swap(new TextModel(inputs));
		this.server.request()
			.get("/v2/models/m")
			.then()
			.statusCode(200)
			.body("parameters.example", containsString("\"data\":[\"NaN and Infinity\"]"));
	}

	@Test
	void countsPredictionsForOtherModelsAsInvalid() {
		long countBefore = invalidCount();
		for (String path : List.of("/v1/models/other:predict", "/v1/models/m/labels/other:predict",
				"/v2/models/m/versions/9/infer")) {
			this.server.request().body("{}").post(path).then().statusCode(404);
		}
		this.server.request().get("/v2/models/other").then().statusCode(404);
		assertThat(invalidCount()).isEqualTo(countBefore + 3);
	}

	private long invalidCount() {
		return this.server.context()
			.getBean(Statistics.class)
			.requestTimers(Outcome.INVALID)
			.mapToLong(Timer::count)
			.sum();
	}

	@Test
	void saysThatARankIsUnknown() {
		this.server.swap(new FakeModel(Shape.UNKNOWN_RANK));
		this.server.request()
			.get("/v1/models/m/metadata")
			.then()
			.statusCode(200)
			.body("metadata.signature_def.signature_def.serving_default.inputs.x.tensor_shape",
					equalTo(Map.of("unknown_rank", true)));
	}

	@ParameterizedTest
	@ValueSource(ints = { 10_001, 0 })
	void omitsAnExampleThatIsTooLargeOrHasNoJson(int elements) {
		Map<String, Tensor> question = FakeModel
			.question((elements > 0) ? new float[elements] : new float[] { Float.NaN });
		this.server.swap(new FakeModel(new Example(question, Map.of(), 0)));
		this.server.request().get("/v2/models/m").then().statusCode(200).body("parameters", not(hasKey("example")));
	}

	private record TextModel(Map<String, Tensor> exampleInputs) implements Model {

		@Override
		public Signature signature() {
			return new Signature(List.of(new TensorSpec("x", DataType.BYTES, Shape.of(-1))),
					List.of(new TensorSpec("y", DataType.BYTES, Shape.of(-1))));
		}

		@Override
		public List<Example> examples() {
			return List.of(new Example(this.exampleInputs, Map.of(), 0));
		}

		@Override
		public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
			return FakeModel.echo(inputs);
		}

	}

}
