package inference.web;

import java.io.IOException;
import java.util.Objects;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.health.actuate.endpoint.HealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Status;

/**
 * Answers the probes from Actuator's health groups, whatever the headers and the query
 * are. Spring MVC would refuse requests with some headers, such as {@code Accept:
 * text/plain}. The paths stay on the main port even if Actuator gets a port of its own.
 */
final class ProbeServlet extends HttpServlet {

	private final transient HealthEndpoint healthEndpoint;

	ProbeServlet(HealthEndpoint healthEndpoint) {
		this.healthEndpoint = healthEndpoint;
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
		String method = request.getMethod();
		if (!method.equals("GET") && !method.equals("HEAD")) {
			ErrorAnswer.notAllowed(method, "GET").send(request, response);
			return;
		}
		String path = request.getServletPath();
		String group = path.contains("/start") ? "startup" : path.contains("/live") ? "liveness" : "readiness";
		HealthDescriptor descriptor = Objects.requireNonNull(this.healthEndpoint.healthForPath(group));
		response.setStatus(Status.UP.equals(descriptor.getStatus()) ? 200 : 503);
		response.setHeader("Cache-Control", "no-store");
		response.setContentType("application/json");
		JsonMapper.shared().writeValue(response.getOutputStream(), descriptor);
	}

}
