package inference;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import static org.hamcrest.Matchers.equalTo;

class ProbePathsTests {

	@SuppressWarnings("NullAway.Init")
	private static Server server;

	@BeforeAll
	static void start() {
		server = Server.ready(TestModel::new);
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@ParameterizedTest
	@CsvSource({ "/readyz, readinessProbe", "/readyz/, readinessProbe", "/livez, livenessProbe",
			"/startupz, startupProbe", "/actuator/health/readiness, readinessProbe",
			"/actuator/health/liveness/, livenessProbe", "/actuator/health/startup, startupProbe",
			"/api/predict/some_service/readyz, readinessProbe" })
	void answerByTheStateWhateverTheHeadersAndTheQueryAre(String path, String component) {
		server.request()
			.header("Accept", "text/plain")
			.header("Content-Type", "nonsense")
			.get(path + "?x=y")
			.then()
			.statusCode(200)
			.contentType("application/json")
			.body("status", equalTo("UP"))
			.body("components." + component + ".details.reason", equalTo("the model serves"));
		server.request().head(path).then().statusCode(200);
	}

	@ParameterizedTest
	@ValueSource(strings = { "POST", "PUT", "DELETE" })
	void areOnlyRead(String method) {
		server.request()
			.request(method, "/livez")
			.then()
			.statusCode(405)
			.header("Allow", "GET, HEAD")
			.body("error", equalTo(method + " is not allowed here: use GET."));
	}

}
