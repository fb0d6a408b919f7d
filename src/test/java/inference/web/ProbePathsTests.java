package inference.web;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroup;
import org.springframework.boot.health.actuate.endpoint.HealthEndpointGroups;

import inference.ErrorBody;
import inference.Server;
import inference.Surfaces;
import inference.lifecycle.State;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.equalTo;

/**
 * The addresses of the probes.
 */
class ProbePathsTests {

	private final Server server = Server.shared();

	@ParameterizedTest
	@CsvSource({ "/readyz, readinessProbe", "/readyz/, readinessProbe", "/livez, livenessProbe",
			"/startupz, startupProbe", "/actuator/health/readiness, readinessProbe",
			"/actuator/health/liveness/, livenessProbe", "/actuator/health/startup, startupProbe",
			"/api/predict/some_service/readyz, readinessProbe" })
	void answersWhateverTheHeadersAndTheQueryAre(String path, String component) {
		this.server.request()
			.header("Accept", "text/plain")
			.header("Content-Type", "nonsense")
			.header("Cookie", "a=b; ".repeat(300))
			.get(path + "?x=y")
			.then()
			.statusCode(200)
			.contentType("application/json")
			.body("status", equalTo("UP"))
			.body("components." + component + ".details.reason", equalTo("the model serves"));
		this.server.request().head(path).then().statusCode(200);
	}

	@ParameterizedTest
	@CsvSource({ "startup, server:/startupz", "liveness, server:/livez", "readiness, server:/readyz" })
	void areAdditionalPathsOfTheHealthGroups(String group, String path) {
		var groups = this.server.context().getBean(HealthEndpointGroups.class);
		assertThat(groups.get(group)).isNotNull().extracting(HealthEndpointGroup::getAdditionalPath).hasToString(path);
	}

	@Test
	void agreeWithEverySurfaceThatShowsTheState() {
		Surfaces.verify(Server.loading(), State.LOADING, 503, 200, 503, "the model is loading");
		Surfaces.verify(this.server, State.READY, 200, 200, 200, "the model serves");
	}

	@ParameterizedTest
	@ValueSource(strings = { "POST", "PUT", "DELETE" })
	void refusesOtherMethods(String method) {
		this.server.request()
			.request(method, "/livez")
			.then()
			.statusCode(405)
			.header("Allow", "GET, HEAD")
			.body(ErrorBody.SENTENCE, equalTo(method + " is not allowed here: use GET."));
	}

}
