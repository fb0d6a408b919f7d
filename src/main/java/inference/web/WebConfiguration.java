package inference.web;

import java.io.IOException;
import java.util.List;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.catalina.core.StandardContext;
import org.apache.catalina.core.StandardHost;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.web.EndpointMediaTypes;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.boot.web.servlet.ServletRegistration;
import org.springframework.boot.web.servlet.ServletRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.web.servlet.HandlerExceptionResolver;
import org.springframework.web.servlet.ModelAndView;
import org.springframework.web.servlet.config.annotation.ContentNegotiationConfigurer;
import org.springframework.web.servlet.config.annotation.WebMvcConfigurer;
import org.springframework.web.servlet.resource.NoResourceFoundException;
import org.springframework.web.util.DisconnectedClientHelper;

import inference.admission.Admission;
import inference.admission.RequestProperties;
import inference.admission.Statistics;
import inference.model.ModelProperties;

/**
 * Registers the servlets for predictions and for probes; configures Tomcat and Spring
 * MVC.
 */
@Configuration(proxyBeanMethods = false)
class WebConfiguration implements WebMvcConfigurer {

	private static final int WRITE_BUFFER_BYTES = 32 * 1024;

	@Bean
	ServletRegistrationBean<PredictionServlet> predictionServlet(Admission admission, Statistics statistics,
			RequestExecutor requestExecutor, ModelProperties modelProperties, RequestProperties requestProperties) {
		ServletRegistrationBean<PredictionServlet> registration = new ServletRegistrationBean<>(
				new PredictionServlet(admission, statistics, requestExecutor, modelProperties, requestProperties),
				PredictionServlet.paths(modelProperties));
		registration.setLoadOnStartup(1);
		return registration;
	}

	@Bean
	@ServletRegistration(loadOnStartup = 1,
			urlMappings = { "/startupz", "/startupz/", "/livez", "/livez/", "/readyz", "/readyz/",
					"/actuator/health/startup", "/actuator/health/startup/", "/actuator/health/liveness",
					"/actuator/health/liveness/", "/actuator/health/readiness", "/actuator/health/readiness/" })
	ProbeServlet probeServlet(HealthEndpoint health) {
		return new ProbeServlet(health);
	}

	@Bean
	WebServerFactoryCustomizer<TomcatServletWebServerFactory> tomcatCustomizer(RequestExecutor requestExecutor,
			Admission admission) {
		return (factory) -> {
			factory.setProtocol(HttpProtocol.class.getName());
			factory.addContextCustomizers((context) -> {
				// By default, Tomcat would discard an answer that a filter has buffered
				// and writes after the forward.
				((StandardContext) context).setSuspendWrappedResponseAfterForward(false);
				// Tomcat's default for forms is Latin-1.
				context.setRequestCharacterEncoding("UTF-8");
				StandardHost host = (StandardHost) context.getParent();
				// An empty name turns off Tomcat's valve, which answers errors in HTML.
				host.setErrorReportValveClass("");
				host.getPipeline().addValve(new RequestValve(admission));
			});
			factory.addProtocolHandlerCustomizers((HttpProtocol protocol) -> {
				protocol.setExecutor(requestExecutor);
				// Tomcat writes an answer in pieces of this size, and each connection has
				// a buffer for one piece. With pieces of 8 KB, Tomcat's default, a model
				// of 7 ms with answers of 245 KB serves 5 % fewer requests.
				protocol.setProperty("socket.appWriteBufSize", Integer.toString(WRITE_BUFFER_BYTES));
				// Tomcat sends "100 Continue" only when the body is read, so a request
				// can be refused before its client sends the body.
				protocol.setContinueResponseTiming("onRead");
				// A client that sends or reads nothing for this time is disconnected.
				protocol.setConnectionTimeout((int) admission.maxDeadline().toMillis());
			});
		};
	}

	// Actuator answers with application/json, because code generators do not know
	// Actuator's own media type.
	@Bean
	EndpointMediaTypes endpointMediaTypes() {
		return new EndpointMediaTypes(MediaType.APPLICATION_JSON_VALUE);
	}

	@Override
	public void configureContentNegotiation(ContentNegotiationConfigurer negotiation) {
		// With ALL, a controller of a fork can answer with another media type.
		negotiation.ignoreAcceptHeader(true).defaultContentType(MediaType.APPLICATION_JSON, MediaType.ALL);
	}

	// The added resolver runs after the one that calls a fork's methods with
	// @ExceptionHandler, and before those of Spring that answer in another form.
	@Override
	public void extendHandlerExceptionResolvers(List<HandlerExceptionResolver> resolvers) {
		resolvers.add(1, (request, response, _, failure) -> answer(request, response, failure));
	}

	private static @Nullable ModelAndView answer(HttpServletRequest request, HttpServletResponse response,
			Exception failure) {
		// If reading the body failed, isCommitted() is true before an answer is sent.
		boolean isBodyUnreadable = failure instanceof HttpMessageNotReadableException;
		if (response.isCommitted() && !isBodyUnreadable) {
			// If this method returns null, Tomcat logs the failure's stack trace.
			return DisconnectedClientHelper.isClientDisconnectedException(failure) ? new ModelAndView() : null;
		}
		try {
			ErrorAnswer answer = (failure instanceof NoResourceFoundException)
					? ErrorAnswer.notFound(request.getRequestURI()) : ErrorAnswer.of(failure);
			answer.send(request, response);
		}
		catch (IOException ex) {
			// The client has gone.
		}
		return new ModelAndView();
	}

}
