package inference.image;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import inference.Prerequisite;

/**
 * The image that Jib built.
 */
final class Image {

	private static final Path TAR = Path.of("target/jib-image.tar");

	private Image() {
	}

	/** Whether there is an image of what this build packaged, and podman to run it. */
	static boolean isBuilt() {
		return Prerequisite.isMet(missing());
	}

	/** The image's identity, under which podman has it from now on. */
	static synchronized String id() {
		try {
			String id = Files.readString(Path.of("target/jib-image.id")).strip();
			if (!Container.succeeds("image", "exists", id)) {
				Container.succeed("load", "--quiet", "--input", TAR.toString());
			}
			return id;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static @Nullable String missing() {
		for (String tool : new String[] { "podman", "runc" }) {
			if (!isInstalled(tool)) {
				return "The image is not tested, because there is no " + tool;
			}
		}
		if (!Files.exists(TAR)) {
			return "The image is not tested, because there is none: run mvn package jib:buildTar first";
		}
		return isPackaged() ? null : "The image is not tested, because it holds another jar than was packaged now: "
				+ "run mvn package jib:buildTar again";
	}

	private static boolean isInstalled(String tool) {
		return Stream.of(System.getenv("PATH").split(":"))
			.anyMatch((directory) -> Files.isExecutable(Path.of(directory, tool)));
	}

	private static boolean isPackaged() {
		String container = Container.succeed("create", id());
		try {
			Path copy = Files.createTempFile("image", ".jar");
			try {
				Container.succeed("cp", container + ":/app/server.jar", copy.toString());
				return Files.mismatch(copy, Path.of("target/image/app/server.jar")) == -1;
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
