package inference.web;

import jakarta.servlet.Filter;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.coyote.AbstractProtocol;

import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.Ordered;
import org.springframework.web.filter.RequestContextFilter;

import inference.admission.Admission;
import inference.admission.Statistics;
import inference.model.ModelProperties;

/**
 * Registers what is not a Spring controller: the servlet for predictions, filters, and
 * the threads of requests.
 */
@Configuration(proxyBeanMethods = false)
class WebConfiguration {

	@Bean
	ServletRegistrationBean<PredictionServlet> predictionServlet(Admission admission, Statistics statistics,
			RequestPermits permits, ModelProperties model, RequestProperties properties) {
		ServletRegistrationBean<PredictionServlet> registration = new ServletRegistrationBean<>(
				new PredictionServlet(admission, statistics, permits, model, properties),
				PredictionServlet.paths(model));
		registration.setLoadOnStartup(1);
		return registration;
	}

	@Bean
	ServletRegistrationBean<ProbeServlet> probeServlet(HealthEndpoint health) {
		ServletRegistrationBean<ProbeServlet> registration = new ServletRegistrationBean<>(new ProbeServlet(health),
				ProbeServlet.paths());
		registration.setLoadOnStartup(1);
		return registration;
	}

	@Bean
	WebServerFactoryCustomizer<TomcatServletWebServerFactory> requestThreads(RequestPermits permits,
			Admission admission) {
		return (tomcat) -> {
			tomcat.addEngineValves(new TomcatClient.Valve());
			tomcat.addProtocolHandlerCustomizers((AbstractProtocol<?> protocol) -> {
				protocol.setExecutor(permits);
				// A client that sends or reads nothing for so long is disconnected.
				protocol.setConnectionTimeout((int) admission.maxDeadline().toMillis());
			});
		};
	}

	@Bean
	FilterRegistrationBean<RequestLogFilter> requestLogFilter() {
		FilterRegistrationBean<RequestLogFilter> registration = new FilterRegistrationBean<>(new RequestLogFilter());
		registration.setOrder(Ordered.HIGHEST_PRECEDENCE);
		return registration;
	}

	// While the server drains, a client that kept its connection would find it closed.
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

	// Spring MVC's servlet does the same for its own requests; predictions do not need
	// it.
	@Bean
	FilterRegistrationBean<RequestContextFilter> requestContextFilter() {
		FilterRegistrationBean<RequestContextFilter> registration = new FilterRegistrationBean<>(
				new RequestContextFilter());
		registration.setEnabled(false);
		return registration;
	}

}
