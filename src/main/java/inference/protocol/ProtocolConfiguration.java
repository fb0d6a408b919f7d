package inference.protocol;

import jakarta.servlet.DispatcherType;
import jakarta.servlet.Filter;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.condition.ConditionalOnThreading;
import org.springframework.boot.info.BuildProperties;
import org.springframework.boot.thread.Threading;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.web.filter.RequestContextFilter;

import inference.admission.Admission;
import inference.admission.RequestThreads;
import inference.admission.Statistics;
import inference.health.Probes;
import inference.model.ModelProperties;

/**
 * Puts the protocols on their paths. Everything else is Spring MVC's, which here means
 * Actuator's.
 */
@Configuration(proxyBeanMethods = false)
class ProtocolConfiguration {

	@Bean
	ServletRegistrationBean<InferenceServlet> inferenceServlet(Admission admission, Statistics statistics,
			RequestThreads threads, Probes probes, ModelProperties model, RequestProperties request,
			ConsoleProperties console, ObjectProvider<BuildProperties> build) {
		BuildProperties properties = build.getIfAvailable();
		String version = (properties != null) ? String.valueOf(properties.getVersion()) : "unknown";
		ServletRegistrationBean<InferenceServlet> registration = new ServletRegistrationBean<>(
				new InferenceServlet(admission, statistics, threads, probes, model, request, new Console(console),
						version),
				"", "/v1/*", "/v2/*", "/openapi.json");
		registration.setLoadOnStartup(1);
		return registration;
	}

	@Bean
	@ConditionalOnThreading(Threading.VIRTUAL)
	WebServerFactoryCustomizer<TomcatServletWebServerFactory> requestThreadsOf(RequestThreads threads) {
		return (tomcat) -> tomcat.addProtocolHandlerCustomizers((protocol) -> protocol.setExecutor(threads::execute));
	}

	@Bean
	WebServerFactoryCustomizer<TomcatServletWebServerFactory> currentRequest(RequestThreads threads) {
		return (tomcat) -> tomcat.addEngineValves(new CurrentRequest(threads));
	}

	// Spring MVC's servlet does the same for its own requests; the others need it not.
	@Bean
	FilterRegistrationBean<RequestContextFilter> requestContextFilter() {
		FilterRegistrationBean<RequestContextFilter> registration = new FilterRegistrationBean<>(
				new RequestContextFilter());
		registration.setEnabled(false);
		return registration;
	}

	// While draining, a client that keeps its connection would find it closed in the end.
	@Bean
	FilterRegistrationBean<Filter> connectionCloseFilter(Admission admission) {
		FilterRegistrationBean<Filter> registration = new FilterRegistrationBean<>((request, response, chain) -> {
			if (admission.isDraining() && response instanceof HttpServletResponse http) {
				http.setHeader("Connection", "close");
			}
			chain.doFilter(request, response);
		});
		registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
		return registration;
	}

	@Bean
	FilterRegistrationBean<PredictPrefixFilter> predictPrefixFilter() {
		FilterRegistrationBean<PredictPrefixFilter> registration = new FilterRegistrationBean<>(
				new PredictPrefixFilter());
		registration.addUrlPatterns(PredictPrefixFilter.PREFIX + "*");
		registration.setDispatcherTypes(DispatcherType.REQUEST);
		return registration;
	}

}
