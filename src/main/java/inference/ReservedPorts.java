package inference;

import java.util.Set;

import org.springframework.boot.context.properties.source.InvalidConfigurationPropertyValueException;
import org.springframework.boot.web.server.servlet.ConfigurableServletWebServerFactory;
import org.springframework.boot.web.server.WebServerFactoryCustomizer;
import org.springframework.core.env.Environment;
import org.springframework.stereotype.Component;

/**
 * Refuses to start on a port that EAS keeps for itself inside every instance, where the
 * server would never be found.
 */
@Component
class ReservedPorts implements WebServerFactoryCustomizer<ConfigurableServletWebServerFactory> {

	private static final Set<Integer> RESERVED = Set.of(8080, 9090);

	private final Environment environment;

	ReservedPorts(Environment environment) {
		this.environment = environment;
	}

	@Override
	public void customize(ConfigurableServletWebServerFactory factory) {
		refuse("server.port");
		refuse("management.server.port");
	}

	private void refuse(String property) {
		Integer port = this.environment.getProperty(property, Integer.class);
		if (port != null && RESERVED.contains(port)) {
			throw new InvalidConfigurationPropertyValueException(property, port,
					"EAS reserves the ports 8080 and 9090 for itself; service.json expects 8000.");
		}
	}

}
