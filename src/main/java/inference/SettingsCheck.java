package inference;

import java.util.List;
import java.util.Set;

import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.annotation.Order;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.util.ClassUtils;

/**
 * Refuses settings that Spring Boot would accept: ports that Alibaba's PAI-EAS reserves
 * or that do not exist, unknown log formats, and HTTP/2.
 */
@Order(0)
class SettingsCheck implements EnvironmentPostProcessor, ApplicationContextInitializer<ConfigurableApplicationContext> {

	private static final List<String> PORT_PROPERTIES = List.of("server.port", "management.server.port",
			"spring.grpc.server.port");

	private static final Set<Integer> RESERVED_PORTS = Set.of(8080, 9090);

	private static final Set<String> LOG_FORMATS = Set.of("", "ecs", "gelf", "logstash");

	/** Checks the log format before Spring Boot uses it. */
	@Override
	public void postProcessEnvironment(ConfigurableEnvironment environment, SpringApplication application) {
		String formatProperty = "logging.structured.format.console";
		String format = environment.getProperty(formatProperty, "");
		if (!LOG_FORMATS.contains(format) && !ClassUtils.isPresent(format, null)) {
			throw new InvalidConfigurationPropertyValueException(formatProperty, format,
					"must be empty, ecs, gelf, logstash or the name of a class");
		}
	}

	/** Checks the ports and HTTP/2. A failure is logged in the configured format. */
	@Override
	public void initialize(ConfigurableApplicationContext context) {
		Binder binder = Binder.get(context.getEnvironment());
		if (binder.bind("server.http2.enabled", Boolean.class).orElse(false)) {
			throw new InvalidConfigurationPropertyValueException("server.http2.enabled", true,
					"HTTP/2 is supported only for gRPC, on a port of its own");
		}
		for (String name : PORT_PROPERTIES) {
			int port = binder.bind(name, Integer.class).orElse(0);
			// Only the text tells an empty value from a missing one.
			String value = binder.bind(name, String.class).orElse("0");
			// Actuator need not have a port of its own. For the other ports, an empty
			// value would mean Spring Boot's default, which EAS reserves, and -1 would
			// open no port.
			boolean isMissing = port == -1 || value.isBlank();
			if (port < -1 || port > 65535 || (isMissing && !name.startsWith("management."))) {
				throw new InvalidConfigurationPropertyValueException(name, value, "a port is between 0 and 65535");
			}
			if (RESERVED_PORTS.contains(port)) {
				throw new InvalidConfigurationPropertyValueException(name, port,
						"EAS reserves the ports 8080 and 9090");
			}
		}
	}

}
