package inference;

import java.util.List;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.bind.validation.BindValidationException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.origin.Origin;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.annotation.Order;
import org.springframework.validation.FieldError;
import org.springframework.validation.ObjectError;

/**
 * Puts a bad property into one sentence: which, what it is, where it comes from, and what
 * it must be. Spring Boot's own analysis speaks of Java types.
 */
@Order(0)
class BadPropertyAnalyzer extends AbstractFailureAnalyzer<Throwable> {

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, Throwable cause) {
		BindValidationException invalid = findCause(cause, BindValidationException.class);
		BindException unbindable = findCause(cause, BindException.class);
		UnboundConfigurationPropertiesException unknown = findCause(cause,
				UnboundConfigurationPropertiesException.class);
		String description = (invalid != null) ? describe(invalid)
				: (unbindable != null) ? describe(unbindable) : (unknown != null) ? describe(unknown) : null;
		return (description != null)
				? new FailureAnalysis(description, "Correct the property, or remove it for its default.", cause) : null;
	}

	private static String describe(BindValidationException invalid) {
		List<ObjectError> errors = invalid.getValidationErrors().getAllErrors();
		String prefix = invalid.getValidationErrors().getName().toString();
		return errors.stream()
			.map((error) -> (error instanceof FieldError field)
					? sentence("%s.%s".formatted(prefix, field.getField()), field.getRejectedValue(),
							Origin.from(field), field.getDefaultMessage())
					: sentence(prefix, null, null, error.getDefaultMessage()))
			.collect(Collectors.joining(" "));
	}

	private static String describe(BindException cause) {
		ConfigurationProperty property = cause.getProperty();
		String message = NestedExceptionUtils.getMostSpecificCause(cause).getMessage();
		return (property != null)
				? sentence(property.getName().toString(), property.getValue(), property.getOrigin(), message)
				: sentence(cause.getName().toString(), null, null, message);
	}

	private static String describe(UnboundConfigurationPropertiesException unknown) {
		return unknown.getUnboundProperties()
			.stream()
			.map((property) -> sentence(property.getName().toString(), property.getValue(), property.getOrigin(),
					"nothing reads it"))
			.collect(Collectors.joining(" "));
	}

	private static String sentence(String name, @Nullable Object value, @Nullable Origin origin,
			@Nullable String message) {
		String is = (value != null) ? " is '%s'".formatted(value) : "";
		String from = (origin != null) ? " (from %s)".formatted(origin) : "";
		return "Property %s%s%s: %s.".formatted(name, is, from, message);
	}

}
