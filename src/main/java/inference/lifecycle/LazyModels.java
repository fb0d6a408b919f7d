package inference.lifecycle;

import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.support.AbstractBeanDefinition;
import org.springframework.stereotype.Component;

import inference.model.Model;

/**
 * Keeps Spring from constructing or closing a model: {@link ModelLifecycle} does both,
 * after the port is open and after the last call has returned. A fork's class needs no
 * annotation for it.
 */
@Component
final class LazyModels implements BeanFactoryPostProcessor {

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory beans) {
		for (String name : beans.getBeanNamesForType(Model.class, true, false)) {
			if (beans.getBeanDefinition(name) instanceof AbstractBeanDefinition definition) {
				definition.setLazyInit(true);
				definition.setDestroyMethodName("");
			}
		}
	}

}
