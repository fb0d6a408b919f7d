package inference;

import java.nio.charset.StandardCharsets;
import java.util.List;

import com.aliyun.openservices.eas.predict.http.HttpConfig;
import com.aliyun.openservices.eas.predict.http.PredictClient;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import inference.model.ModelProperties;
import inference.model.OnnxModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.hamcrest.Matchers.equalTo;

/**
 * The bundled model, asked as the README and as the EAS Java SDK ask it.
 */
class BundledModelTests {

	private static final String TWO_FLOWERS = "{\"instances\":[[6.8,2.8,4.8,1.4],[6.0,3.4,4.5,1.6]]}";

	private static Server server;

	@BeforeAll
	static void start() {
		server = Server.ready(() -> new OnnxModel(new ModelProperties("iris", "1", "classpath:model.onnx", 1, "cpu")));
		String metadata = server.request().get("/v2/models/adder").asString();
		assumeThat(metadata).as("the bundled model is the iris classifier, not a fork's").contains("input-0", "label");
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Test
	void tellsTwoFlowersApart() {
		server.request()
			.body(TWO_FLOWERS)
			.post("/")
			.then()
			.statusCode(200)
			.body("predictions.label", equalTo(List.of("versicolor", "versicolor")))
			.body("predictions.probabilities.size()", equalTo(2));
	}

	@Test
	void answersTheEasJavaSdkUnmodified() throws Exception {
		PredictClient client = new PredictClient(new HttpConfig());
		try {
			client.setEndpoint("localhost:" + server.port());
			client.setModelName("iris");
			client.setToken("a-token");
			String answer = new String(client.predict(TWO_FLOWERS.getBytes(StandardCharsets.UTF_8)),
					StandardCharsets.UTF_8);
			assertThat(answer).contains("versicolor");
		}
		finally {
			client.shutdown();
		}
	}

}
