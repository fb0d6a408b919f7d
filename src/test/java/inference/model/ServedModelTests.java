package inference.model;

import java.time.Duration;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.ComponentScan;
import org.springframework.context.annotation.ScopeMetadata;
import org.springframework.context.annotation.ScopeMetadataResolver;

import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * The contract of whatever model this application serves, as it is configured: the
 * bundled one, a fork's file or a fork's class.
 */
class ServedModelTests {

	private static ConfigurableApplicationContext context;

	@BeforeAll
	static void open() {
		context = new SpringApplicationBuilder(ModelsRoom.class).web(WebApplicationType.NONE)
			.properties("management.endpoint.health.validate-group-membership=false")
			.run();
	}

	@AfterAll
	static void close() {
		context.close();
	}

	@TestFactory
	Stream<DynamicTest> theModelThatIsServedHoldsToTheContract() {
		boolean missing = context.getBeanNamesForType(Model.class).length == 1
				&& "classpath:model.onnx".equals(context.getBean(ModelProperties.class).location())
				&& ServedModelTests.class.getResource("/model.onnx") == null;
		assumeThat(missing).as("there is no class and no model.onnx: INFERENCE_MODEL_LOCATION says what to test")
			.isFalse();
		Duration deadline = DurationStyle
			.detectAndParse(context.getEnvironment().getProperty("inference.deadline", "4s"));
		return ModelContract.tests(() -> context.getBean(Model.class), deadline);
	}

	@EnableAutoConfiguration
	@ComponentScan(basePackageClasses = Model.class, scopeResolver = Anew.class)
	@ConfigurationPropertiesScan(basePackageClasses = Model.class)
	static class ModelsRoom {

	}

	/** Has every bean constructed each time that it is asked for. */
	static class Anew implements ScopeMetadataResolver {

		@Override
		public ScopeMetadata resolveScopeMetadata(BeanDefinition definition) {
			ScopeMetadata scope = new ScopeMetadata();
			scope.setScopeName(BeanDefinition.SCOPE_PROTOTYPE);
			return scope;
		}

	}

}
