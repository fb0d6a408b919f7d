package inference.model;

import java.util.List;
import java.util.Objects;

import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.context.annotation.ClassPathScanningCandidateComponentProvider;
import org.springframework.core.type.filter.AssignableTypeFilter;

import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Whether what is served is an ONNX file, with no class of a fork in its place.
 */
public final class FileModel {

	private FileModel() {
	}

	/**
	 * Skips the test if a class is served, to which the file does not matter.
	 */
	public static void assumeServed() {
		ClassPathScanningCandidateComponentProvider components = new ClassPathScanningCandidateComponentProvider(true);
		components
			.addExcludeFilter((metadata, factory) -> !new AssignableTypeFilter(Model.class).match(metadata, factory));
		components.addExcludeFilter(new AssignableTypeFilter(OnnxModel.class));
		List<String> classes = components.findCandidateComponents(Model.class.getPackageName())
			.stream()
			.map(BeanDefinition::getBeanClassName)
			.map(Objects::requireNonNull)
			.toList();
		assumeThat(classes).as("classes that are served in place of an ONNX file").isEmpty();
	}

}
