package inference;

import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.context.properties.bind.validation.ValidationErrors;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.health.actuate.endpoint.HealthEndpoint;
import org.springframework.boot.origin.Origin;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.boot.web.server.WebServerException;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.annotation.Order;
import org.springframework.validation.FieldError;

import inference.model.UnusableModelException;

/**
 * Explains in a sentence why the server cannot start. Without this class, Spring Boot
 * would report bad settings with Java types or a stack trace.
 */
@Order(0)
class StartFailureAnalyzer extends AbstractFailureAnalyzer<Throwable> {

	/** Explains the innermost exception that this class knows. */
	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, Throwable cause) {
		Throwable innerCause = cause.getCause();
		FailureAnalysis innerAnalysis = (innerCause != null) ? analyze(rootFailure, innerCause) : null;
		if (innerAnalysis != null) {
			return innerAnalysis;
		}
		return switch (cause) {
			case UnusableModelException ex -> new FailureAnalysis(ex.description(), ex.action(), ex);
			case NoSuchBeanDefinitionException ex when HealthEndpoint.class.equals(ex.getBeanType()) ->
				new FailureAnalysis("The probes need Actuator's health endpoint, but the configuration disables it.",
						"Add health to management.endpoints.web.exposure.include, and set no management.endpoint*.access to none.",
						ex);
			case BindValidationException ex -> invalidProperty(ex, describe(ex.getValidationErrors()));
			case UnboundConfigurationPropertiesException ex -> invalidProperty(ex,
					ex.getUnboundProperties()
						.stream()
						.map((property) -> sentence(property, "there is no such property"))
						.collect(Collectors.joining(" ")));
			case InvalidConfigurationPropertyValueException ex ->
				invalidProperty(ex, sentence(ex.getName(), ex.getValue(), null, ex.getReason()));
			case BindException ex -> invalidProperty(ex, describe(ex));
			// Spring Boot itself explains a port that is in use, and logs why a bean
			// cannot be created.
			case WebServerException ex when findCause(ex, PortInUseException.class) == null
					&& findCause(ex, BeanCreationException.class) == null ->
				new FailureAnalysis("%s: %s.".formatted(ex.getMessage(), NestedExceptionUtils.getMostSpecificCause(ex)),
						"Use a server.port above 1023 and a server.address of this machine. Let the process open at"
								+ " least 500 files. Make the directory for temporary files writable: mount an empty"
								+ " directory there, or set another with JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=...",
						ex);
			case java.net.BindException ex when findCause(rootFailure, WebServerException.class) == null
					&& findCause(rootFailure, BeanCreationException.class) == null ->
				new FailureAnalysis("The port of gRPC cannot be opened: %s.".formatted(ex.getMessage()),
						"Use another spring.grpc.server.port, or end the process that listens on it."
								+ " The spring.grpc.server.address must be of this machine.",
						ex);
			default -> null;
		};
	}

	private static FailureAnalysis invalidProperty(Throwable failure, String description) {
		return new FailureAnalysis(description, "Correct the property, or remove it to get its default.", failure);
	}

	private static String describe(ValidationErrors errors) {
		return errors.getAllErrors()
			.stream()
			.map((error) -> (error instanceof FieldError field)
					? sentence(
							"%s.%s".formatted(errors.getName(), DataObjectPropertyName.toDashedForm(field.getField())),
							field.getRejectedValue(), Origin.from(field), field.getDefaultMessage())
					: sentence(errors.getName(), null, null, error.getDefaultMessage()))
			.collect(Collectors.joining(" "));
	}

	private static String describe(BindException failure) {
		Throwable rootCause = NestedExceptionUtils.getMostSpecificCause(failure);
		String reason = (rootCause instanceof NumberFormatException) ? "must be a whole number"
				: rootCause.getMessage();
		ConfigurationProperty property = failure.getProperty();
		return (property != null) ? sentence(property, reason) : sentence(failure.getName(), null, null, reason);
	}

	private static String sentence(ConfigurationProperty property, @Nullable String reason) {
		return sentence(property.getName(), property.getValue(), property.getOrigin(),
				"".equals(property.getValue()) ? "must not be empty" : reason);
	}

	private static String sentence(Object name, @Nullable Object value, @Nullable Origin origin,
			@Nullable String reason) {
		String valueClause = (value != null) ? " is '%s'".formatted(value) : "";
		String originClause = (origin != null) ? " (from %s)".formatted(origin) : "";
		return "Property %s%s%s: %s.".formatted(name, valueClause, originClause, reason);
	}

}
