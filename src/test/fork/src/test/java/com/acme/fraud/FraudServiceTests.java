package com.acme.fraud;

import org.junit.jupiter.api.Test;

import inference.Server;
import inference.Surfaces;
import inference.lifecycle.State;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.startsWith;

/**
 * The company's own tests. They start the server with a helper of the template's tests.
 */
class FraudServiceTests {

	@Test
	void ownEndpointAnswersScoresAndOwnMetricCountsFraud() {
		try (Server server = Server.ready(FraudModel::new)) {
			server.request()
				.contentType("application/json")
				.body("[2000, 1]")
				.post("/score")
				.then()
				.statusCode(200)
				.body("[0]", equalTo(1.0));
			server.request().get("/actuator/prometheus").then().body(containsString("\nfraud_suspicious_total 1.0\n"));
		}
	}

	@Test
	void errorsHaveTheFormOfRfc9457() {
		try (Server server = Server.ready(FraudModel::new)) {
			server.request()
				.body("no JSON")
				.post("/")
				.then()
				.statusCode(400)
				.contentType("application/problem+json")
				.body("status", equalTo(400))
				.body("detail", startsWith("The body "));
			server.request().get("/nowhere").then().statusCode(404).contentType("application/problem+json");
		}
	}

	@Test
	void ownHealthContributorChangesNoProbe() {
		try (Server server = Server.ready(FraudModel::new, "acme.watch-list=/nowhere")) {
			server.request()
				.get("/actuator/health")
				.then()
				.statusCode(503)
				.body("components.watchList.details.file", equalTo("/nowhere"));
			server.request().get("/actuator/health/watchList").then().statusCode(503);
			Surfaces.verify(server, State.READY, 200, 200, 200, "the model serves");
		}
	}

	@Test
	void requestsNeedTheKeyAndProbesDoNot() {
		try (Server server = Server.ready(FraudModel::new, "acme.api-key=secret")) {
			server.request()
				.get("/")
				.then()
				.statusCode(401)
				.contentType("application/problem+json")
				.body("detail", equalTo("The header X-Api-Key is missing or wrong."));
			server.request().header("X-Api-Key", "secret").get("/").then().statusCode(200);
			server.request().get("/readyz").then().statusCode(200);
		}
	}

}
