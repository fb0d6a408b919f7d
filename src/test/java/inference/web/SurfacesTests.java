package inference.web;

import java.util.Map;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.Server;
import inference.Surfaces;
import inference.TestModel;
import inference.lifecycle.State;
import inference.model.FakeModel;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.UnusableModelException;

/**
 * What the probes, the summary and the console say while a model loads, serves, or has
 * failed to load.
 */
class SurfacesTests {

	@Test
	void loadingServerIsAliveButNeitherStartedNorReady() {
		CountDownLatch loaded = new CountDownLatch(1);
		try (Server server = Server.starting(() -> new TestModel(loaded))) {
			Surfaces.verify(server, State.LOADING, 503, 200, 503, "the model is loading");
			loaded.countDown();
			server.await(State.READY);
			Surfaces.verify(server, State.READY, 200, 200, 200, "the model serves");
		}
	}

	@Test
	void serverWhoseModelFailedIsAliveButNeitherStartedNorReady() {
		try (Server server = Server.starting(() -> {
			throw new UnusableModelException("There is no model at /models.", "Mount one.", null);
		})) {
			server.await(State.FAILED);
			Surfaces.verify(server, State.FAILED, 503, 200, 503, "There is no model at /models. Mount one.");
			server.request().body("{\"instances\":[[1,2]]}").post("/").then().statusCode(503);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "/livez", "/startupz", "/actuator/health/readiness", "/v2/health/ready",
			"/actuator/prometheus", "/actuator/info" })
	void answersUnderThePrefixToo(String path) {
		Server.shared()
			.request()
			.redirects()
			.follow(false)
			.get("/api/predict/some_service" + path)
			.then()
			.statusCode(200);
	}

	@Test
	void modelWhoseOutputForZerosIsInfiniteBecomesReady() {
		FakeModel model = new FakeModel();
		model.behave((inputs) -> Map.of("y", Tensor.ofFloats(Shape.of(1), Float.NEGATIVE_INFINITY)));
		try (Server server = Server.ready(() -> model)) {
			server.request().get("/readyz").then().statusCode(200);
		}
	}

}
