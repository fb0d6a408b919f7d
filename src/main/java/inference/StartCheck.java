package inference;

import java.util.Set;

import org.springframework.boot.EnvironmentPostProcessor;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.util.ClassUtils;

/**
 * Refuses settings that Spring Boot would accept, or reject with a stack trace: a port
 * that is no port or that EAS reserves, and an unknown log format.
 */
class StartCheck implements EnvironmentPostProcessor {

	private static final Set<Integer> RESERVED_PORTS = Set.of(8080, 9090);

	private static final Set<String> LOG_FORMATS = Set.of("", "ecs", "gelf", "logstash");

	@Override
	public void postProcessEnvironment(ConfigurableEnvironment environment, SpringApplication application) {
		checkPort(environment, "server.port");
		checkPort(environment, "management.server.port");
		String name = "logging.structured.format.console";
		String format = environment.getProperty(name, "");
		if (!LOG_FORMATS.contains(format) && !ClassUtils.isPresent(format, null)) {
			throw new InvalidConfigurationPropertyValueException(name, format,
					"must be empty, ecs, gelf, logstash or the name of a class");
		}
	}

	private static void checkPort(ConfigurableEnvironment environment, String name) {
		int port = Binder.get(environment).bind(name, Integer.class).orElse(0);
		if (port < -1 || port > 65535) {
			throw new InvalidConfigurationPropertyValueException(name, port, "a port is between 0 and 65535");
		}
		if (RESERVED_PORTS.contains(port)) {
			throw new InvalidConfigurationPropertyValueException(name, port,
					"EAS reserves the ports 8080 and 9090, and service.json expects 8000");
		}
	}

}
