package inference.lifecycle;

import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.boot.SpringBootExceptionReporter;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.io.support.SpringFactoriesLoader;
import org.springframework.core.io.support.SpringFactoriesLoader.ArgumentResolver;
import org.springframework.stereotype.Component;

import inference.model.Model;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.UnusableModelException;

/**
 * Constructs the model and warms it up, and explains the reason if either fails.
 */
@Component
class ModelLoader {

	private static final Logger logger = LoggerFactory.getLogger(ModelLoader.class);

	private final ObjectProvider<Model> modelProvider;

	private final ObjectProvider<WarmUpListener> listeners;

	private final ModelProperties modelProperties;

	private final ConfigurableApplicationContext context;

	ModelLoader(ObjectProvider<Model> modelProvider, ObjectProvider<WarmUpListener> listeners,
			ModelProperties modelProperties, ConfigurableApplicationContext context) {
		this.modelProvider = modelProvider;
		this.listeners = listeners;
		this.modelProperties = modelProperties;
		this.context = context;
	}

	/**
	 * Keeps Spring from constructing the model before the port is open, and from closing
	 * it. So a fork's class needs no annotation for lazy construction or for closing.
	 */
	@Bean
	static BeanFactoryPostProcessor lazyModelsPostProcessor() {
		return (beanFactory) -> {
			for (String beanName : beanFactory.getBeanNamesForType(Model.class, true, false)) {
				if (beanFactory.getBeanDefinition(beanName) instanceof AbstractBeanDefinition definition) {
					definition.setLazyInit(true);
					definition.setDestroyMethodName("");
				}
			}
		};
	}

	/**
	 * Loads the model and warms it up.
	 * @param onConstructed receives the model and its metadata before the warm-up
	 */
	void loadAndWarmUp(BiConsumer<Model, ModelMetadata> onConstructed) {
		long startNanos = System.nanoTime();
		Model model = this.modelProvider.getObject();
		long loadedNanos = System.nanoTime();
		ModelMetadata metadata = ModelMetadata.of(model);
		onConstructed.accept(model, metadata);
		int runCount = new WarmUp(model, metadata, this.listeners.orderedStream().toList()).run();
		logger.info("Model {} version {} loaded in {} ms, warmed up by {} runs in {} ms", this.modelProperties.name(),
				this.modelProperties.version(), TimeUnit.NANOSECONDS.toMillis(loadedNanos - startNanos), runCount,
				TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - loadedNanos));
	}

	/**
	 * Logs a failed load as Spring Boot logs a failed start.
	 * @return the reason for an operator, in one line
	 */
	String reportAndExplain(Throwable failure) {
		boolean isReported = SpringFactoriesLoader.forDefaultResourceLocation()
			.load(SpringBootExceptionReporter.class,
					ArgumentResolver.of(ConfigurableApplicationContext.class, this.context))
			.stream()
			.anyMatch((reporter) -> reporter.reportException(failure));
		if (!isReported) {
			logger.error("The model could not be loaded", failure);
		}
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof UnusableModelException unusableModel) {
				return "%s %s".formatted(unusableModel.description(), unusableModel.action());
			}
		}
		return "The model '%s' could not be loaded: %s".formatted(this.modelProperties.name(),
				NestedExceptionUtils.getMostSpecificCause(failure).toString().replaceAll("\\s+", " "));
	}

}
