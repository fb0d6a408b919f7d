package inference.lifecycle;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;

import inference.model.FakeModel;
import inference.model.Model;
import inference.model.OnnxModel;
import inference.model.Signature;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

class ModelLoaderTests {

	private final Journal journal = new Journal(new ArrayList<>());

	@ParameterizedTest
	@ValueSource(classes = { ForksModel.class, ForksConfiguration.class })
	void leavesTheConstructionAndTheClosingOfAModelToTheLifecycle(Class<?> component) {
		try (var context = context(component)) {
			assertThat(this.journal.lines()).isEmpty();
			assertThat(context.getBean(Model.class)).isInstanceOf(ForksModel.class);
		}
		assertThat(this.journal.lines()).containsExactly("constructed");
	}

	@Test
	void aForksModelIsServedInPlaceOfAnOnnxFile() {
		try (var context = context(OnnxModel.class, ForksModel.class)) {
			assertThat(context.getBean(Model.class)).isInstanceOf(ForksModel.class);
		}
	}

	private AnnotationConfigApplicationContext context(Class<?>... components) {
		var context = new AnnotationConfigApplicationContext();
		context.registerBean(Journal.class, () -> this.journal);
		context.addBeanFactoryPostProcessor(ModelLoader.lazyModelsPostProcessor());
		context.register(components);
		context.refresh();
		return context;
	}

	record Journal(List<String> lines) {
	}

	// It is not annotated as a component, or every other test that scans this package
	// would serve it.
	static final class ForksModel implements Model {

		private final Journal journal;

		ForksModel(Journal journal) {
			this.journal = journal;
			this.journal.lines().add("constructed");
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
			this.journal.lines().add("closed");
		}

	}

	static final class ForksConfiguration {

		@Bean
		Model model(Journal journal) {
			return new ForksModel(journal);
		}

	}

}
