package inference;

import java.util.List;

import inference.lifecycle.State;

import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.equalTo;

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
		server.request()
			.get("/")
			.then()
			.statusCode(200)
			.body("state", equalTo(state.name()))
			.body("reason", containsString(reason))
			.body("started", equalTo(startup == 200))
			.body("live", equalTo(liveness == 200))
			.body("ready", equalTo(readiness == 200));
		server.request().accept("text/html").get("/").then().statusCode(200).contentType("text/html;charset=UTF-8");
	}

	private static void verify(Server server, List<String> paths, int status, String reason) {
		for (String path : paths) {
			server.request().redirects().follow(false).get(path).then().statusCode(status).body(containsString(reason));
		}
	}

}
