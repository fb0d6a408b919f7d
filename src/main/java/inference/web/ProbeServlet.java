package inference.web;

import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.health.actuate.endpoint.HealthDescriptor;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.health.contributor.Status;

import inference.codec.InvalidRequestException;

/**
 * Answers the probes from Actuator's health groups, whatever the headers and the query
 * are. Spring MVC would refuse some of them, such as {@code Accept: text/plain}, and in a
 * JVM that has just started it takes 6 ms of CPU time for a probe. The paths stay on this
 * port if Actuator gets a port of its own.
 */
final class ProbeServlet extends HttpServlet {

	private static final String ACTUATOR = "/actuator/health/";

	private final transient HealthEndpoint health;

	ProbeServlet(HealthEndpoint health) {
		this.health = health;
	}

	static String[] paths() {
		return Stream
			.of("/startupz", "/livez", "/readyz", ACTUATOR + "startup", ACTUATOR + "liveness", ACTUATOR + "readiness")
			.flatMap((path) -> Stream.of(path, path + "/"))
			.toArray(String[]::new);
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
		if (!List.of("GET", "HEAD").contains(request.getMethod())) {
			response.setHeader("Allow", "GET, HEAD");
			ErrorAnswer
				.of(405, "%s is not allowed here: use GET."
					.formatted(InvalidRequestException.excerpt(request.getMethod())))
				.send(request, response);
			return;
		}
		HealthDescriptor health = Objects.requireNonNull(this.health.healthForPath(group(request.getServletPath())));
		byte[] body = JsonMapper.shared().writeValueAsBytes(health);
		response.setStatus(Status.UP.equals(health.getStatus()) ? 200 : 503);
		response.setHeader("Cache-Control", "no-store");
		response.setContentType("application/json");
		response.setContentLength(body.length);
		response.getOutputStream().write(body);
	}

	private static String group(String path) {
		return switch (path.charAt(path.lastIndexOf('/', path.length() - 2) + 1)) {
			case 's' -> "startup";
			case 'l' -> "liveness";
			default -> "readiness";
		};
	}

}
