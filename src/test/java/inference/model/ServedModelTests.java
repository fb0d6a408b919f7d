package inference.model;

import java.util.List;
import java.util.stream.Stream;

import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

import inference.Server;
import inference.admission.Admission;

import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Runs the tests of {@link ModelContract} with the model that this application serves:
 * the bundled model, a fork's file or a fork's class.
 */
class ServedModelTests {

	private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();

	@TestFactory
	Stream<DynamicTest> theModelThatIsServedHoldsToTheContract() {
		registerServedModel();
		boolean missing = OnnxModel.class.equals(this.context.getType("model"))
				&& "classpath:model.onnx".equals(this.context.getBean(ModelProperties.class).location())
				&& ServedModelTests.class.getResource("/model.onnx") == null;
		assumeThat(missing).as("there is no class and no model.onnx: INFERENCE_MODEL_LOCATION says what to test")
			.isFalse();
		return ModelContract
			.tests(() -> this.context.getBean("model", Model.class),
					this.context.getBean(Admission.class).maxDeadline())
			.onClose(this.context::close);
	}

	// Registers the application's model, which each call of getBean() constructs anew.
	private void registerServedModel() {
		ConfigurableListableBeanFactory beans = Server.shared().context().getBeanFactory();
		List<BeanDefinition> models = Stream.of(beans.getBeanNamesForType(Model.class, true, false))
			.filter((name) -> !name.equals("testModel"))
			.map(beans::getMergedBeanDefinition)
			.toList();
		BeanDefinition served = models.stream()
			.filter((model) -> !model.isFallback())
			.findFirst()
			.orElse(models.getFirst());
		AbstractBeanDefinition anew = ((AbstractBeanDefinition) served).cloneBeanDefinition();
		anew.setScope(BeanDefinition.SCOPE_PROTOTYPE);
		this.context.setParent(Server.shared().context());
		this.context.registerBeanDefinition("model", anew);
		this.context.refresh();
	}

}
