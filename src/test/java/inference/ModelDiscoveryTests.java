package inference;

import java.util.Arrays;
import java.util.List;
import java.util.Objects;

import org.junit.jupiter.api.Test;

import org.springframework.context.ApplicationContext;

import inference.model.FakeModel;
import inference.model.Model;
import inference.model.ModelClasses;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every class of the application that implements {@link Model} is a bean. A class that
 * the application does not find would not be served, and the bundled model would be
 * served in its place.
 */
class ModelDiscoveryTests {

	@Test
	void findsEveryModelOfTheApplication() throws Exception {
		List<String> complaints = ModelClasses.find()
			.stream()
			.filter((type) -> !isBean(type, Server.shared().context()))
			.map(ModelDiscoveryTests::complain)
			.toList();
		assertThat(complaints).withFailMessage(() -> String.join("\n", complaints)).isEmpty();
	}

	@Test
	void namesTheLineThatMakesAModelKnown() {
		assertThat(isBean(FakeModel.class, Server.shared().context())).isFalse();
		assertThat(complain(FakeModel.class)).startsWith("inference.model.FakeModel implements Model, but")
			.contains("scanBasePackages = { \"inference\", \"inference.model\" }");
	}

	// The type of a bean from a factory method may be a supertype of the model's class.
	private static boolean isBean(Class<?> model, ApplicationContext context) {
		return Arrays.stream(context.getBeanNamesForType(Model.class))
			.filter((name) -> !name.equals("testModel"))
			.map((name) -> Objects.requireNonNull(context.getType(name)))
			.anyMatch((type) -> type.isAssignableFrom(model));
	}

	private static String complain(Class<?> model) {
		return """
				%s implements Model, but the application does not find it and would serve the bundled model. Annotate the \
				class with @Component, and replace InferenceServer's first annotation by
				  @SpringBootApplication(proxyBeanMethods = false, scanBasePackages = { "inference", "%s" })
				"""
			.formatted(model.getName(), model.getPackageName());
	}

}
