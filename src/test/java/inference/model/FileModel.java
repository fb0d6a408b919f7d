package inference.model;

import java.net.URL;
import java.util.List;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;

import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Whether what is served is an ONNX file, with no class of a fork in its place.
 */
public final class FileModel {

	private FileModel() {
	}

	/**
	 * Skips the test if the application has a model of its own, in any package.
	 */
	public static void assumeServed() {
		URL classes = Model.class.getProtectionDomain().getCodeSource().getLocation();
		List<String> models = new ClassFileImporter().importUrl(classes)
			.stream()
			.filter((type) -> type.isAssignableTo(Model.class) && !type.isInterface())
			.map(JavaClass::getName)
			.filter((name) -> !name.equals(OnnxModel.class.getName()))
			.toList();
		assumeThat(models).as("classes that are served in place of an ONNX file").isEmpty();
	}

}
