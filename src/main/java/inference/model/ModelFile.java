package inference.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

import org.springframework.core.io.ClassPathResource;

/**
 * An ONNX file, found where {@code inference.model.location} points.
 */
sealed interface ModelFile {

	String REMEDY = "Copy or mount an ONNX file there, or set INFERENCE_MODEL_LOCATION to where it is.";

	/**
	 * Finds the file.
	 * @param location {@code classpath:<resource>}, a file, or a directory that holds
	 * {@code model.onnx}
	 * @return the file, known to exist
	 * @throws UnusableModelException if there is no readable file
	 */
	static ModelFile at(String location) {
		if (location.startsWith("classpath:")) {
			return OnClasspath.at(location);
		}
		return OnDisk.at(location.startsWith("file:") ? location.substring("file:".length()) : location);
	}

	/**
	 * A file on disk, which ONNX Runtime opens itself: only then it finds the weights
	 * that large models keep in files of their own.
	 *
	 * @param path an existing, readable file
	 */
	record OnDisk(Path path) implements ModelFile {

		private static ModelFile at(String location) {
			Path path;
			try {
				path = Path.of(location).toAbsolutePath().normalize();
			}
			catch (InvalidPathException ex) {
				throw new UnusableModelException("The model location '%s' is not a path.".formatted(location), REMEDY,
						ex);
			}
			Path file = Files.isDirectory(path) ? path.resolve("model.onnx") : path;
			if (!Files.exists(file)) {
				throw new UnusableModelException("There is no model at %s.".formatted(file), REMEDY, null);
			}
			if (!Files.isRegularFile(file) || !Files.isReadable(file)) {
				throw new UnusableModelException("The model at %s cannot be read.".formatted(file),
						"Make it a file that user %s may read.".formatted(System.getProperty("user.name")), null);
			}
			return new OnDisk(file);
		}

		@Override
		public String toString() {
			return this.path.toString();
		}

	}

	/**
	 * A file inside the application.
	 *
	 * @param resource an existing class path resource
	 */
	record OnClasspath(ClassPathResource resource) implements ModelFile {

		private static ModelFile at(String location) {
			ClassPathResource resource = new ClassPathResource(location.substring("classpath:".length()));
			if (!resource.exists()) {
				throw new UnusableModelException("There is no model at %s.".formatted(location), REMEDY, null);
			}
			return new OnClasspath(resource);
		}

		byte[] content() throws IOException {
			return this.resource.getContentAsByteArray();
		}

		@Override
		public String toString() {
			return "classpath:" + this.resource.getPath();
		}

	}

}
