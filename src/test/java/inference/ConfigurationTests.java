package inference;

import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.tomcat.autoconfigure.TomcatServerProperties;
import org.springframework.boot.web.server.autoconfigure.ServerProperties;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.env.PropertySource;
import org.springframework.core.env.SystemEnvironmentPropertySource;

import inference.model.ModelProperties;

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

	private static final SettingsCheck settingsCheck = new SettingsCheck();

	private static final StartFailureAnalyzer analyzer = new StartFailureAnalyzer();

	private static final SpringApplication application = new SpringApplication();

	private static final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();

	@BeforeAll
	static void start() {
		context.getEnvironment()
			.getPropertySources()
			.addLast(new MapPropertySource("required", Map.of("inference.model.name", "m")));
		context.register(AllProperties.class);
		context.refresh();
	}

	@AfterAll
	static void stop() {
		context.close();
	}

	@ParameterizedTest
	@CsvSource({ "SPRING_JSON, true", "--management.server.port=1, true", "INFERENCE_GRPC_ENABLED, true",
			"SERVER_FORWARD_HEADERS_STRATEGY, true", "server.forward-headers-strategy, true", "SERVER_PORT, false",
			"spring.aot.enabled, false", "SPRING_LIFECYCLE_TIMEOUT_PER_SHUTDOWN_PHASE, false",
			"INFERENCE_MODEL_NAME, false" })
	void mayNeedOtherBeansThanTheImageWasBuiltWith(String settingName, boolean mayChangeBeans) {
		assertThat(InferenceServer.mayChangeBeans(settingName)).isEqualTo(mayChangeBeans);
	}

	static Stream<Arguments> everyPropertyWithEachValue() {
		return Stream.of(PROPERTIES).flatMap((name) -> Stream.of(VALUES).map((value) -> Arguments.of(name, value)));
	}

	@ParameterizedTest
	@MethodSource("everyPropertyWithEachValue")
	void acceptsAValueOrSaysWhatIsWrongWithIt(String name, String value) {
		String refusal = refusal(name, value);
		if (refusal != null) {
			assertThat(refusal).startsWith("Property ")
				.endsWith(".")
				.containsIgnoringCase(name.substring(0, name.lastIndexOf('.')))
				.doesNotContain("Exception", "java.", "@", "\n");
		}
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			textBlock = """
					management.server.port       | 9090 | Property management.server.port is '9090': EAS reserves
					server.port                  | 99999 | Property server.port is '99999': a port is between 0 and 65535.
					server.port                  | -1   | Property server.port is '-1': a port is between 0 and 65535.
					server.port                  | -2   | Property server.port is '-2': a port is between 0 and 65535.
					server.port                  | ''   | Property server.port is '': a port is between 0 and 65535.
					spring.grpc.server.port      | ''   | Property spring.grpc.server.port is '': a port is between 0 and 65535.
					management.server.port       | ${NOPE} | Property management.server.port is '${NOPE}'
					server.port                  | http | Property server.port is 'http'
					inference.deadline           | 25d  | Property inference.deadline is 'PT600H'
					inference.batching.max-delay | -1s  | Property inference.batching.max-delay is 'PT-1S'
					inference.admission.max-queued | many | must be a whole number.
					inference.admission.max-queued | -1 | Property inference.admission.max-queued is '-1'
					inference.admission.max-concurrent | 1001 | Property inference.admission.max-concurrent is '1001'
					inference.admission.max-concurrent | 0 | Property inference.admission.max-concurrent is '0'
					inference.model.name         | ..   | Property inference.model.name is '..'
					inference.model.name         | a/b  | Property inference.model.name is 'a/b'
					inference.model.device       | gpu  | Property inference.model.device is 'gpu'
					inference.model.threads      | 1001 | Property inference.model.threads is '1001'
					inference.model.threads      | 0    | Property inference.model.threads is '0'
					inference.model.session-config | fast | Property inference.model.session-config[0] is 'fast': must be key=value
					inference.request.max-sise   | 1MB  | Property inference.request.max-sise is '1MB'
					inference.request.max-size   | 0B   | max-size must be between 1B and 511MB
					""")
	void namesThePropertyItsValueAndTheRule(String name, String value, String sentence) {
		assertThat(refusal(name, value)).contains(sentence);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "-1", "8002" })
	void takesAPortForActuatorOrNone(String value) {
		assertThat(refusal("management.server.port", value)).isNull();
	}

	@Test
	void leavesAForksOwnPropertyAlone() {
		assertThat(refusal("inference.fraud.threshold", "0.5")).isNull();
	}

	@Test
	void acceptsAVariableThatOverridesALongerList() {
		var variables = new SystemEnvironmentPropertySource("a-systemEnvironment",
				Map.of("INFERENCE_MODEL_NAME", "a", "INFERENCE_MODEL_SESSIONCONFIG", "a=1"));
		var file = new MapPropertySource("file",
				Map.of("inference.model.session-config[0]", "b=2", "inference.model.session-config[1]", "c=3"));
		assertThat(refusal("inference.model.session-config", file, variables)).isNull();
		assertThat(context.getBean(ModelProperties.class).sessionConfig()).containsExactly("a=1");
	}

	private static @Nullable String refusal(String name, String value) {
		return refusal(name, new MapPropertySource("test", Map.of(name, value)));
	}

	// Only the bean with the property is made again. A context for each value would take
	// 30 ms.
	private static @Nullable String refusal(String name, PropertySource<?>... sources) {
		var environment = context.getEnvironment();
		Stream.of(sources).forEach(environment.getPropertySources()::addFirst);
		try {
			settingsCheck.postProcessEnvironment(environment, application);
			settingsCheck.initialize(context);
			for (String bean : context.getBeanNamesForAnnotation(ConfigurationProperties.class)) {
				var properties = context.findAnnotationOnBean(bean, ConfigurationProperties.class);
				if (name.startsWith(Objects.requireNonNull(properties).prefix())) {
					context.getDefaultListableBeanFactory().destroySingleton(bean);
					var _ = context.getBean(bean);
				}
			}
			return null;
		}
		catch (RuntimeException ex) {
			return Objects.requireNonNull(analyzer.analyze(ex)).getDescription();
		}
		finally {
			Stream.of(sources).forEach((source) -> environment.getPropertySources().remove(source.getName()));
		}
	}

	@ConfigurationPropertiesScan
	@EnableConfigurationProperties({ ServerProperties.class, TomcatServerProperties.class })
	static class AllProperties {

	}

}
