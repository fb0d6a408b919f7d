package inference.web;

import java.util.Map;
import java.util.Objects;

import io.restassured.response.ValidatableResponse;
import org.junit.jupiter.api.Test;

import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

import inference.ErrorBody;
import inference.Server;
import inference.admission.Admission;
import inference.model.DeviceLostException;
import inference.model.FakeModel;
import inference.model.Shape;
import inference.model.Tensor;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

/**
 * A controller of a fork that predicts through the same queue as all other requests.
 */
class OwnEndpointTests {

	private final FakeModel model = new FakeModel();

	@Test
	void predictsAndIsCounted() {
		try (Server server = Server.ready(() -> this.model, (context) -> context.registerBean(ScoreController.class))) {
			score(server, 200).body(equalTo("[1.0,2.0]"));
			verifyCount(server, "ok");
			this.model.behave((_) -> {
				throw new IllegalArgumentException("2 is too large");
			});
			score(server, 400).body(ErrorBody.SENTENCE, equalTo("The model cannot use the input: 2 is too large."));
			verifyCount(server, "invalid");
			this.model.behave((_) -> {
				throw new IllegalStateException("broken");
			});
			score(server, 500).body(ErrorBody.SENTENCE, containsString("The model failed."));
			verifyCount(server, "failed");
		}
	}

	@Test
	void isRefusedAsOtherRequestsAreWhileTheModelDoesNotServe() {
		try (Server server = Server.ready(() -> this.model, (context) -> context.registerBean(ScoreController.class))) {
			this.model.behave((_) -> {
				throw new DeviceLostException("CUDA error 700", new IllegalStateException());
			});
			score(server, 500);
			score(server, 503).header("Retry-After", "2").body(ErrorBody.SENTENCE, containsString("Not ready"));
			verifyCount(server, "not_ready");
		}
	}

	@Test
	void isRefusedIfItsTensorsAreNotTheInputs() {
		try (Server server = Server.ready(() -> this.model, (context) -> context.registerBean(ScoreController.class))) {
			server.request()
				.post("/unfit")
				.then()
				.statusCode(400)
				.body(ErrorBody.SENTENCE, equalTo("The model takes [x FP32 [-1]], not {x=INT64 [1]}."));
			verifyCount(server, "invalid");
		}
	}

	@Test
	void itsOwnFailureIsTheServersAndKeepsItsReason() {
		try (Server server = Server.ready(() -> this.model, (context) -> context.registerBean(ScoreController.class))) {
			server.request()
				.contentType("application/json")
				.body("[1,2]")
				.post("/broken")
				.then()
				.statusCode(500)
				.body(ErrorBody.SENTENCE, equalTo(
						"The server failed. The server's log has the reason, with this answer's X-Request-Id."));
		}
	}

	private static ValidatableResponse score(Server server, int status) {
		return server.request().contentType("application/json").body("[1,2]").post("/own").then().statusCode(status);
	}

	private static void verifyCount(Server server, String outcome) {
		server.request()
			.get("/actuator/prometheus")
			.then()
			.body(containsString(
					"inference_requests_seconds_count{outcome=\"%s\",protocol=\"http\"} 1".formatted(outcome)));
	}

	@RestController
	static class ScoreController {

		private final Admission admission;

		ScoreController(Admission admission) {
			this.admission = admission;
		}

		@PostMapping("/unfit")
		void predict() {
			this.admission.predict(Map.of("x", Tensor.ofLongs(Shape.of(1), 1)));
		}

		@PostMapping("/broken")
		float broken(@RequestBody float[] values) {
			return values[values.length];
		}

		@PostMapping("/own")
		float[] score(@RequestBody float[] values) {
			return Objects.requireNonNull(this.admission.predict(FakeModel.question(values)).get("y")).floats();
		}

	}

}
