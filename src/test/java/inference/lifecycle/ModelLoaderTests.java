package inference.lifecycle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Fallback;

import inference.model.FakeModel;
import inference.model.Model;
import inference.model.Signature;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

class ModelLoaderTests {

	private final Journal journal = new Journal();

	@Test
	void leavesTheConstructionOfAModelToTheLifecycle() {
		try (var context = context(ForksModel.class)) {
			assertThat(this.journal.lines).isEmpty();
			assertThat(context.getBeanProvider(Model.class).getObject()).isInstanceOf(ForksModel.class);
			assertThat(this.journal.lines).containsExactly("the fork's model is constructed");
		}
	}

	@Test
	void leavesTheClosingOfAModelToTheLifecycle() {
		try (var context = context(ForksModel.class)) {
			context.getBean(Model.class);
		}
		assertThat(this.journal.lines).containsExactly("the fork's model is constructed");
	}

	@Test
	void doesTheSameForAModelFromAFactoryMethod() {
		try (var context = context(ForksConfiguration.class)) {
			assertThat(this.journal.lines).isEmpty();
			context.getBean(Model.class);
		}
		assertThat(this.journal.lines).containsExactly("the fork's model is constructed");
	}

	@Test
	void aForksModelIsServedInPlaceOfTheFallback() {
		try (var context = context(DefaultModel.class, ForksModel.class)) {
			ObjectProvider<Model> models = context.getBeanProvider(Model.class);
			assertThat(models.getObject()).isInstanceOf(ForksModel.class);
		}
		assertThat(this.journal.lines).containsExactly("the fork's model is constructed");
	}

	@Test
	void theFallbackIsServedInAForkWithoutAModel() {
		try (var context = context(DefaultModel.class)) {
			assertThat(context.getBeanProvider(Model.class).getObject()).isInstanceOf(DefaultModel.class);
		}
		assertThat(this.journal.lines).containsExactly("the default model is constructed");
	}

	private AnnotationConfigApplicationContext context(Class<?>... components) {
		var context = new AnnotationConfigApplicationContext();
		context.registerBean(Journal.class, () -> this.journal);
		context.addBeanFactoryPostProcessor(ModelLoader.lazyModelsPostProcessor());
		context.register(components);
		context.refresh();
		return context;
	}

	static final class Journal {

		private final List<String> lines = new ArrayList<>();

	}

	// None is annotated as a component, or every other test that scans this package would
	// serve it.
	abstract static class RecordedModel implements Model {

		private final Journal journal;

		private final String name;

		RecordedModel(Journal journal, String name) {
			this.journal = journal;
			this.name = name;
			this.journal.lines.add(this.name + " is constructed");
		}

		@Override
		public Signature signature() {
			return new FakeModel().signature();
		}

		@Override
		public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
			return Map.of();
		}

		@Override
		public void close() {
			this.journal.lines.add(this.name + " is closed");
		}

	}

	static final class ForksModel extends RecordedModel {

		ForksModel(Journal journal) {
			super(journal, "the fork's model");
		}

	}

	@Fallback
	static final class DefaultModel extends RecordedModel {

		DefaultModel(Journal journal) {
			super(journal, "the default model");
		}

	}

	static final class ForksConfiguration {

		@Bean
		Model model(Journal journal) {
			return new ForksModel(journal);
		}

	}

}
