package inference;

import java.util.List;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.lifecycle.State;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;

/**
 * Everything that tells a client the state of a server. All of it must agree.
 */
public final class Surfaces {

	private static final List<String> STARTUP = List.of("/startupz", "/actuator/health/startup");

	private static final List<String> LIVENESS = List.of("/livez", "/actuator/health/liveness", "/v2/health/live");

	private static final List<String> READINESS = List.of("/readyz", "/actuator/health/readiness", "/v2/health/ready",
			"/v2/models/m/ready");

	private Surfaces() {
	}

	/**
	 * Checks every probe, the summary and the console.
	 * @param startup the status of the startup probe, and so on
	 * @param reason a part of the reason that each of them must give
	 */
	public static void verify(Server server, State state, int startup, int liveness, int readiness, String reason) {
		verify(server, STARTUP, startup, reason);
		verify(server, LIVENESS, liveness, reason);
		verify(server, READINESS, readiness, reason);
		JsonNode summary = JsonMapper.shared()
			.readTree(server.request().get("/").then().statusCode(200).extract().asString());
		assertThat(summary.path("status").asString()).isEqualTo("alive");
		assertThat(summary.path("state").asString()).isEqualTo(state.name());
		assertThat(summary.path("reason").asString()).contains(reason);
		assertThat(summary.path("started").booleanValue()).isEqualTo(startup == 200);
		assertThat(summary.path("live").booleanValue()).isEqualTo(liveness == 200);
		assertThat(summary.path("ready").booleanValue()).isEqualTo(readiness == 200);
		server.request().accept("text/html").get("/").then().statusCode(200).contentType("text/html;charset=UTF-8");
	}

	private static void verify(Server server, List<String> paths, int status, String reason) {
		for (String path : paths) {
			server.request().redirects().follow(false).get(path).then().statusCode(status).body(containsString(reason));
		}
	}

}
