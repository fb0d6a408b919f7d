package examples;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import io.restassured.response.Response;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.parallel.Isolated;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.Server;
import inference.model.ModelContract;
import inference.model.ModelProperties;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/**
 * The example, served: asked over HTTP as its clients would.
 */
@Isolated
class SentenceEmbeddingsIT {

	private static final String MODEL = "classpath:all-minilm-l6-v2-q.onnx";

	// Quantisation changes a product by less than this.
	private static final double TOLERANCE = 0.03;

	// A batch is quantised as a whole, so other texts change a product, by up to 0.038
	// when it was measured.
	private static final double TOGETHER = 0.05;

	private static Server server;

	@BeforeAll
	static void serve() {
		server = Server.ready(SentenceEmbeddingsIT::load);
	}

	@AfterAll
	static void end() {
		server.close();
	}

	@Test
	void declaresTextAndNoTokens() {
		JsonNode metadata = json(server.request().get("/v2/models/m"));
		assertThat(metadata.at("/inputs/0")).hasToString("{\"name\":\"text\",\"datatype\":\"BYTES\",\"shape\":[-1]}");
		assertThat(metadata.at("/outputs/0"))
			.hasToString("{\"name\":\"embedding\",\"datatype\":\"FP32\",\"shape\":[-1,384]}");
	}

	@Test
	void answersATextWithAVectorOfLengthOne() {
		double[] hello = embeddings("hello")[0];
		assertThat(hello).hasSize(384);
		assertThat(product(hello, hello)).isEqualTo(1, within(1e-5));
	}

	// The model's authors publish these products for these three texts.
	@Test
	void findsTheMoreAlikeTheCloser() {
		double[][] texts = embeddings("The weather is lovely today.", "It's so sunny outside!",
				"He drove to the stadium.");
		assertThat(product(texts[0], texts[1])).isEqualTo(0.6660, within(TOLERANCE));
		assertThat(product(texts[0], texts[2])).isEqualTo(0.1046, within(TOLERANCE));
		assertThat(product(texts[1], texts[2])).isEqualTo(0.1411, within(TOLERANCE));
	}

	@Test
	void answersTextsOfDifferentLengthsTogetherAsAlone() {
		String[] texts = { "hello", "", "A text of many more tokens than that, which the others are padded to.",
				"word ".repeat(1000) };
		double[][] together = embeddings(texts);
		for (int i = 0; i < texts.length; i++) {
			assertThat(product(together[i], embeddings(texts[i])[0])).as(texts[i]).isEqualTo(1, within(TOGETHER));
		}
	}

	@Test
	void readsAccentsCapitalsAndPunctuationAsTheModelLearntThem() {
		double[][] texts = embeddings("Café, MENU!", "cafe , menu !", "café", "Caf\u00ade\u0301, MENU!");
		assertThat(product(texts[0], texts[1])).isEqualTo(1, within(1e-3));
		assertThat(product(texts[0], texts[3])).isEqualTo(1, within(1e-3));
		assertThat(product(texts[0], texts[2])).isLessThan(0.9);
	}

	@TestFactory
	Stream<DynamicTest> holdsToTheContract() {
		return ModelContract.tests(SentenceEmbeddingsIT::load, Duration.ofSeconds(4));
	}

	private static SentenceEmbeddings load() {
		try {
			return new SentenceEmbeddings(new ModelProperties("m", "1", MODEL, 1, "cpu", List.of(), List.of()));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static double[][] embeddings(String... texts) {
		byte[] body = JsonMapper.shared().writeValueAsBytes(Map.of("instances", texts));
		return json(server.request().body(body).post("/")).path("predictions")
			.valueStream()
			.map((row) -> row.valueStream().mapToDouble(JsonNode::doubleValue).toArray())
			.toArray(double[][]::new);
	}

	private static double product(double[] one, double[] other) {
		return IntStream.range(0, one.length).mapToDouble((i) -> one[i] * other[i]).sum();
	}

	private static JsonNode json(Response response) {
		return JsonMapper.shared().readTree(response.then().statusCode(200).extract().asByteArray());
	}

}
