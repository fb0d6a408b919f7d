package inference.web;

import java.util.EnumSet;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.web.servlet.ServletContextInitializer;

import inference.Server;
import inference.TestModel;

import static org.hamcrest.Matchers.equalTo;

/**
 * The kind of thread that answers a request, as a filter sees it.
 */
class ProbeEndpointTests {

	private static final Server server = Server.ready(TestModel::new, (context) -> {
		ServletContextInitializer filter = (servlets) -> servlets.addFilter("fork", (request, response, chain) -> {
			String thread = Thread.currentThread().isVirtual() ? "virtual" : "platform";
			((HttpServletResponse) response).setHeader("X-Thread", thread);
			chain.doFilter(request, response);
		}).addMappingForUrlPatterns(EnumSet.of(DispatcherType.REQUEST), false, "/*");
		context.registerBean("fork", ServletContextInitializer.class, () -> filter);
	});

	@AfterAll
	static void stop() {
		server.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/livez", "/readyz", "/startupz", "/actuator/health/liveness", "/v2/health/ready" })
	void runsProbesOnPlatformThreads(String path) {
		server.request().get(path).then().statusCode(200).header("X-Thread", equalTo("platform"));
		server.request().head(path).then().statusCode(200).header("X-Thread", equalTo("platform"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "/v2", "/v1/models", "/actuator/prometheus", "/live" })
	void runsOtherRequestsOnVirtualThreads(String path) {
		server.request().get(path).then().header("X-Thread", equalTo("virtual"));
	}

}
