package inference.model;

import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * The classes of the application that implement {@link Model}, in any package.
 */
public final class ModelClasses {

	private ModelClasses() {
	}

	public static List<Class<?>> find() throws Exception {
		Path classes = Path.of(Model.class.getProtectionDomain().getCodeSource().getLocation().toURI());
		try (Stream<Path> files = Files.walk(classes)) {
			return files.map((file) -> classes.relativize(file).toString())
				.filter((file) -> file.endsWith(".class"))
				.<Class<?>>map((file) -> load(file.replace(".class", "").replace('/', '.')))
				.filter((type) -> Model.class.isAssignableFrom(type) && !Modifier.isAbstract(type.getModifiers()))
				.toList();
		}
	}

	/** Skips the test if a class of a fork is served in place of an ONNX file. */
	public static void assumeAFileIsServed() throws Exception {
		assumeThat(find()).as("classes that are served in place of an ONNX file").containsExactly(OnnxModel.class);
	}

	private static Class<?> load(String name) {
		try {
			return Class.forName(name, false, Model.class.getClassLoader());
		}
		catch (ClassNotFoundException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
