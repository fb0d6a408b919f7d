package inference.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;

import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

import inference.Console;

/**
 * Skips a test class unless there is an image of what this build packaged, and podman to
 * run it with.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsImage.Condition.class)
@interface NeedsImage {

	/**
	 * Whether there is, or what to do about it.
	 */
	final class Condition implements ExecutionCondition {

		private static final Path JAR = Path.of("target/image/app/server.jar");

		@Override
		public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
			Optional<String> missing = missing();
			if (missing.isEmpty()) {
				return ConditionEvaluationResult.enabled("");
			}
			// A build server must not pass because it tested nothing
			if ("true".equals(System.getenv("CI"))) {
				throw new IllegalStateException(missing.get());
			}
			Console.print(missing.get());
			return ConditionEvaluationResult.disabled(missing.get());
		}

		private static Optional<String> missing() {
			for (String tool : new String[] { "podman", "runc" }) {
				if (!isInstalled(tool)) {
					return Optional.of("The image is not tested, because there is no " + tool);
				}
			}
			if (!Files.exists(Container.TAR)) {
				return Optional
					.of("The image is not tested, because there is none: run mvn package jib:buildTar first");
			}
			if (!isPackaged()) {
				return Optional.of("The image is not tested, because it holds another jar than was packaged now: "
						+ "run mvn package jib:buildTar again");
			}
			return Optional.empty();
		}

		private static boolean isInstalled(String tool) {
			return Stream.of(System.getenv("PATH").split(":"))
				.anyMatch((directory) -> Files.isExecutable(Path.of(directory, tool)));
		}

		private static boolean isPackaged() {
			String container = Container.succeed("create", Container.image());
			try {
				Path copy = Files.createTempFile("image", ".jar");
				try {
					Container.succeed("cp", container + ":/app/server.jar", copy.toString());
					return Files.mismatch(copy, JAR) == -1;
				}
				finally {
					Files.delete(copy);
				}
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
			finally {
				Container.succeed("rm", container);
			}
		}

	}

}
