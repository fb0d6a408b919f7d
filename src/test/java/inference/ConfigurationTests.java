package inference;

import java.util.Objects;
import java.util.stream.Stream;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.context.ConfigurationPropertiesAutoConfiguration;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.tomcat.autoconfigure.TomcatServerProperties;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Each property with values that users set by mistake: the server accepts the value, or
 * refuses it in one sentence that names the property.
 */
class ConfigurationTests {

	private static final String[] PROPERTIES = { "inference.model.name", "inference.model.version",
			"inference.model.location", "inference.model.threads", "inference.model.device",
			"inference.model.session-config", "inference.admission.max-concurrent", "inference.admission.max-queued",
			"inference.deadline", "inference.drain.delay", "inference.watchdog.stuck-after",
			"inference.batching.max-size", "inference.batching.max-delay", "inference.request.max-size",
			"inference.console.enabled", "inference.grpc.enabled", "server.port", "management.server.port",
			"spring.grpc.server.port", "server.shutdown", "server.tomcat.accept-count", "server.tomcat.max-connections",
			"server.tomcat.keep-alive-timeout", "logging.structured.format.console" };

	private static final String[] VALUES = { "0", "-1", "2147483647", "9223372036854775807", "9223372036854775807d",
			"text", "" };

	static Stream<Arguments> everyPropertyWithEachValue() {
		return Stream.of(PROPERTIES).flatMap((name) -> Stream.of(VALUES).map((value) -> Arguments.of(name, value)));
	}

	@ParameterizedTest
	@MethodSource("everyPropertyWithEachValue")
	void acceptsAValueOrSaysWhatIsWrongWithIt(String name, String value) {
		new ApplicationContextRunner().withPropertyValues("inference.model.name=m", "%s=%s".formatted(name, value))
			.withInitializer((context) -> new StartFailureAnalyzer().postProcessEnvironment(context.getEnvironment(),
					new SpringApplication()))
			.withConfiguration(AutoConfigurations.of(ConfigurationPropertiesAutoConfiguration.class))
			.withUserConfiguration(AllProperties.class)
			.run((context) -> {
				Throwable failure = context.getStartupFailure();
				if (failure != null) {
					FailureAnalysis analysis = Objects.requireNonNull(new StartFailureAnalyzer().analyze(failure));
					assertThat(analysis.getDescription()).startsWith("Property ")
						.endsWith(".")
						.containsIgnoringCase(name.substring(0, name.lastIndexOf('.')))
						.doesNotContain("Exception", "java.", "@", "\n");
				}
			});
	}

	@ConfigurationPropertiesScan
	@EnableConfigurationProperties({ ServerProperties.class, TomcatServerProperties.class })
	static class AllProperties {

	}

}
