package inference;

import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.lifecycle.State;
import inference.model.FakeModel;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.UnusableModelException;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.notNullValue;

/**
 * What every surface says in each state that a quiet server passes through: the same.
 */
class SurfacesTests {

	private static final List<String> STARTUP = List.of("/startupz", "/actuator/health/startup");

	private static final List<String> LIVENESS = List.of("/livez", "/actuator/health/liveness", "/v2/health/live");

	private static final List<String> READINESS = List.of("/readyz", "/actuator/health/readiness", "/v2/health/ready",
			"/v2/models/adder/ready");

	@Test
	void aLoadingServerIsAliveButNeitherStartedNorReady() {
		CountDownLatch loaded = new CountDownLatch(1);
		try (Server server = Server.starting(() -> new TestModel(loaded))) {
			answer(server, STARTUP, 503, "the model is loading");
			answer(server, LIVENESS, 200, "the model is loading");
			answer(server, READINESS, 503, "the model is loading");
			summary(server, "LOADING", false);
			server.request()
				.body("{\"instances\":[[1,2]]}")
				.post("/")
				.then()
				.statusCode(503)
				.header("Retry-After", notNullValue())
				.body("error", containsString("the model is loading"));
			server.request().get("/v2/models/adder").then().statusCode(503);

			loaded.countDown();
			server.await(State.READY);
			answer(server, STARTUP, 200, "the model serves");
			answer(server, LIVENESS, 200, "the model serves");
			answer(server, READINESS, 200, "the model serves");
			summary(server, "READY", true);
		}
	}

	@Test
	void aServerWhoseModelFailedIsAliveUntilItEnds() {
		try (Server server = Server.starting(() -> {
			throw new UnusableModelException("There is no model at /models.", "Mount one.", null);
		})) {
			server.await(State.FAILED);
			answer(server, STARTUP, 503, "There is no model at /models. Mount one.");
			answer(server, LIVENESS, 200, "There is no model at /models. Mount one.");
			answer(server, READINESS, 503, "There is no model at /models. Mount one.");
			summary(server, "FAILED", false);
			server.request().body("{\"instances\":[[1,2]]}").post("/").then().statusCode(503);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/readyz", "/livez", "/startupz", "/actuator/health/readiness", "/v2/health/ready",
			"/actuator/prometheus", "/actuator/info" })
	void everySurfaceIsThereUnderThePrefixToo(String path) {
		try (Server server = Server.ready(TestModel::new)) {
			server.request().redirects().follow(false).get("/api/predict/some_service" + path).then().statusCode(200);
		}
	}

	@Test
	void aModelWhoseOutputForZerosIsNoNumberBecomesReady() {
		FakeModel model = new FakeModel();
		model.behave((inputs) -> Map.of("y", Tensor.ofFloats(Shape.of(1), Float.NEGATIVE_INFINITY)));
		try (Server server = Server.ready(() -> model)) {
			server.request().get("/readyz").then().statusCode(200);
		}
	}

	private static void answer(Server server, List<String> paths, int status, String reason) {
		for (String path : paths) {
			server.request().redirects().follow(false).get(path).then().statusCode(status).body(containsString(reason));
		}
	}

	private static void summary(Server server, String state, boolean ready) {
		server.request().get("/").then().statusCode(200).body("state", equalTo(state)).body("ready", equalTo(ready));
	}

}
