package inference.web;

import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicNode;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;

import inference.Server;
import inference.TestModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

/**
 * The cases in {@code conformance/*.yaml}, over a real port.
 */
class ConformanceTests {

	private static final HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private static final Server server = Server.shared();

	/** The operations and status codes that the cases have covered until now. */
	private static final Set<String> coveredOperations = new HashSet<>();

	private static final OpenApi document = new OpenApi(server);

	@AfterAll
	static void stop() {
		client.close();
	}

	@TestFactory
	Stream<DynamicNode> answersEveryConformanceCaseAsTheDocumentSays() {
		Stream<DynamicNode> cases = Conformance.all()
			.entrySet()
			.stream()
			.map((group) -> DynamicContainer.dynamicContainer(group.getKey(),
					group.getValue()
						.stream()
						.map((conformance) -> DynamicTest.dynamicTest(conformance.title(), () -> ask(conformance)))));
		return Stream.concat(cases, Stream.of(DynamicTest.dynamicTest("The cases have answers of every kind",
				() -> assertThat(coveredOperations).hasSizeGreaterThan(50))));
	}

	@Test
	void countsRequestsRunsAndRowsInTheStatistics() {
		server.swap(new TestModel());
		JsonNode before = statistics();
		for (String body : List.of("{\"instances\":[[1,2],[3,4],[5,6]]}", "{\"instances\":[[1,2]]}",
				"{\"instances\":[[400,0]]}", "{\"instances\":[[1]]}")) {
			server.request().body(body).post("/");
		}
		JsonNode after = statistics();
		assertThat(increase(before, after, "/inference_count")).isEqualTo(4);
		assertThat(increase(before, after, "/execution_count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/success/count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/fail/count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/queue/count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/compute_input/count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/compute_infer/count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/compute_output/count")).isEqualTo(2);
		assertThat(increase(before, after, "/inference_stats/success/ns")).isPositive();
		assertThat(after.at("/last_inference").longValue()).isBetween(System.currentTimeMillis() - 60_000,
				System.currentTimeMillis());
	}

	@Test
	void compressesALargeAnswerForAClientThatAsks() throws Exception {
		server.swap(new TestModel());
		HttpResponse<byte[]> plain = askForManyRows("identity");
		HttpResponse<byte[]> compressed = askForManyRows("gzip");
		assertThat(plain.headers().firstValue("Content-Encoding")).isEmpty();
		assertThat(compressed.headers().firstValue("Content-Encoding")).contains("gzip");
		assertThat(compressed.body().length).isLessThan(plain.body().length / 10);
		assertThat(new GZIPInputStream(new ByteArrayInputStream(compressed.body())).readAllBytes())
			.isEqualTo(plain.body());
	}

	private static HttpResponse<byte[]> askForManyRows(String acceptedEncoding) throws Exception {
		HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:%d/".formatted(server.port())))
			.header("Accept-Encoding", acceptedEncoding)
			.POST(BodyPublishers.ofString("{\"instances\":[%s[1,2]]}".formatted("[1,2],".repeat(5000))))
			.build();
		return client.send(request, BodyHandlers.ofByteArray());
	}

	private static JsonNode statistics() {
		return Conformance.JSON.readTree(server.request().get("/v2/models/m/stats").asString()).at("/model_stats/0");
	}

	private static long increase(JsonNode before, JsonNode after, String member) {
		return after.at(member).longValue() - before.at(member).longValue();
	}

	private static void ask(Conformance conformance) throws Exception {
		boolean isLoading = "not yet loaded".equals(conformance.yaml().get("model"));
		if (!isLoading) {
			server.swap(conformance.model());
		}
		int port = (isLoading ? Server.loading() : server).port();
		HttpResponse<byte[]> response = client.send(conformance.toHttp(port), BodyHandlers.ofByteArray());
		assertThatCode(() -> conformance.verify(response)).as(conformance.title()).doesNotThrowAnyException();
		coveredOperations.add(String.valueOf(document.assertDescribes(conformance, response)));
	}

}
