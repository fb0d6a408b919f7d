package inference.lifecycle;

import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.SpringBootExceptionReporter;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.ArgumentResolver;
import org.springframework.stereotype.Component;

import inference.model.Model;
import inference.model.ModelProperties;
import inference.model.UnusableModelException;

/**
 * Constructs and warms up the model, and says why if it cannot.
 */
@Component
final class ModelLoader {

	private static final Logger logger = LoggerFactory.getLogger(ModelLoader.class);

	private final ObjectProvider<Model> models;

	private final ObjectProvider<WarmUpStep> steps;

	private final ModelProperties properties;

	private final ConfigurableApplicationContext context;

	ModelLoader(ObjectProvider<Model> models, ObjectProvider<WarmUpStep> steps, ModelProperties properties,
			ConfigurableApplicationContext context) {
		this.models = models;
		this.steps = steps;
		this.properties = properties;
		this.context = context;
	}

	/**
	 * Loads the model.
	 * @param constructed told of the model between construction and warm-up
	 */
	void load(Consumer<Model> constructed) throws IOException {
		long start = System.nanoTime();
		Model model = this.models.getObject();
		long loaded = System.nanoTime();
		constructed.accept(model);
		List<WarmUpStep> steps = this.steps.orderedStream().toList();
		int runs = new WarmUp(model, steps).run();
		logger.info("Model {} version {} loaded in {} ms, warmed by {} runs in {} ms", this.properties.name(),
				this.properties.version(), (loaded - start) / 1_000_000, runs,
				(System.nanoTime() - loaded) / 1_000_000);
	}

	/**
	 * Reports a failed load as Spring Boot reports a failed start.
	 * @return what an operator must know of it, in one line
	 */
	String reason(Throwable failure) {
		boolean reported = SpringFactoriesLoader.forDefaultResourceLocation()
			.load(SpringBootExceptionReporter.class,
					ArgumentResolver.of(ConfigurableApplicationContext.class, this.context))
			.stream()
			.anyMatch((reporter) -> reporter.reportException(failure));
		if (!reported) {
			logger.error("The model could not be loaded", failure);
		}
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof UnusableModelException unusable) {
				return "%s %s".formatted(unusable.description(), unusable.action());
			}
		}
		return "The model '%s' could not be loaded: %s".formatted(this.properties.name(),
				NestedExceptionUtils.getMostSpecificCause(failure).toString().replaceAll("\\s+", " "));
	}

}
