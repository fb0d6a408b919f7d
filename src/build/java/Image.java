import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Predicate;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * Stages the files of the image in a directory, from which Jib and the Dockerfile build
 * the same image: a runtime linked from the JDK that runs this program, the libraries and
 * the application.
 */
final class Image {

	/**
	 * All of Java SE, because the modules that today's libraries do not use are 0.7 MB of
	 * the 34 MB and a library that a fork adds can then not miss one.
	 */
	private static final List<String> MODULES = List.of("java.se",
			// An image without a shell still answers "jcmd 1 Thread.print"
			"jdk.jcmd",
			// Flight recordings, which jcmd starts
			"jdk.jfr",
			// Micrometer's processor, thread and heap metrics
			"jdk.management",
			// sun.misc.Signal and Unsafe
			"jdk.unsupported",
			// Archives as file systems
			"jdk.zipfs");

	/**
	 * Not compressed, because a layer is: the image is 7 MB smaller than with modules
	 * compressed twice, and classes load faster. Nor --strip-debug, because that needs
	 * binutils and finds nothing more to strip.
	 */
	private static final List<String> LINKING = List.of("--compress", "zip-0", "--strip-java-debug-attributes",
			"--no-header-files", "--no-man-pages");

	/** What Jib gives its files, too; Java's AOT cache compares the times of jars. */
	private static final FileTime TIME = FileTime.from(Instant.ofEpochSecond(1));

	private static final String NATIVES = "ai/onnxruntime/native";

	private static final Path JDK = Path.of(System.getProperty("java.home"));

	private final Path image;

	private final Path app;

	private Image(Path image) {
		this.image = image;
		this.app = image.resolve("app");
	}

	/**
	 * Takes the executable jar, the directory of files to add, where to stage, and the
	 * system that builds.
	 */
	public static void main(String[] args) throws Exception {
		Image image = new Image(Path.of(args[2]));
		boolean complete = args[3].equals("Linux amd64");
		if (complete) {
			image.linkRuntime();
		}
		else {
			System.err.println("Built on " + args[3] + ", not on Linux amd64, the image has no Java and no AOT cache of"
					+ " its own: its base has to bring a JRE 25, as eclipse-temurin:25-jre does");
			image.borrowRuntime();
		}
		image.extractApplication(Path.of(args[0]));
		image.unpackNatives();
		image.add(Path.of(args[1]));
		// Before and after: the cache knows the jars by their times
		image.normalize();
		if (complete) {
			Training training = new Training(image.image, Path.of(args[1]).resolveSibling("java"));
			Files.copy(training.run(), image.app.resolve("app.aot"));
		}
		else {
			Path arguments = image.app.resolve("server.args");
			Files.writeString(arguments, Files.readString(arguments).replace("-XX:AOTCache=/app/app.aot\n", ""));
		}
		image.normalize();
	}

	/** The base's Java under the name that every command of the image knows it by. */
	private void borrowRuntime() throws IOException {
		Files.deleteIfExists(recipe());
		delete(this.image.resolve("opt"));
		Path java = this.image.resolve("opt/java/bin/java");
		Files.createDirectories(java.getParent());
		Files.writeString(java, """
				#!/bin/sh
				exec "${JAVA_HOME:-/opt/java/openjdk}/bin/java" "$@"
				""");
		java.toFile().setExecutable(true);
	}

	private Path recipe() {
		return this.image.resolveSibling("image-runtime.txt");
	}

	private void linkRuntime() throws IOException {
		Path runtime = this.image.resolve("opt/java");
		Path recipe = recipe();
		String wanted = String.join("\n", Files.readString(JDK.resolve("release")), MODULES.toString(),
				LINKING.toString(), HexFormat.of().formatHex(Launcher.program()));
		if (Files.exists(recipe) && Files.readString(recipe).equals(wanted)) {
			return;
		}
		Files.deleteIfExists(recipe);
		delete(runtime);
		Stream<String> arguments = Stream.concat(LINKING.stream(),
				Stream.of("--add-modules", String.join(",", MODULES), "--output", runtime.toString()));
		int code = ToolProvider.findFirst("jlink")
			.orElseThrow(() -> new IllegalStateException(JDK + " has no jlink: a whole JDK is needed"))
			.run(new PrintWriter(System.out, true), new PrintWriter(System.err, true),
					arguments.toArray(String[]::new));
		check(code == 0, "jlink failed with exit code " + code);
		// Jib cannot carry links, and each names a text that is in legal/java.base
		deleteAll(runtime.resolve("legal"), Files::isSymbolicLink);
		Launcher.addTo(runtime);
		Files.writeString(recipe, wanted);
	}

	private void extractApplication(Path jar) throws IOException, InterruptedException {
		delete(this.app);
		int code = new ProcessBuilder(JDK.resolve("bin/java").toString(), "-Djarmode=tools", "-jar", jar.toString(),
				"extract", "--destination", this.app.toString())
			.inheritIO()
			.start()
			.waitFor();
		check(code == 0, "The jar could not be extracted: exit code " + code);
	}

	/**
	 * Takes ONNX Runtime's native libraries out of its jar: those of other systems are
	 * four fifths of it, and those of this one it would copy to /tmp, which is memory, at
	 * every start.
	 */
	private void unpackNatives() throws IOException {
		Path libraries = this.app.resolve("lib");
		Path jar;
		try (Stream<Path> jars = Files.list(libraries)) {
			jar = jars.filter((path) -> path.getFileName().toString().startsWith("onnxruntime"))
				.findFirst()
				.orElse(null);
		}
		if (jar == null) {
			return;
		}
		try (var contents = FileSystems.newFileSystem(jar)) {
			try (Stream<Path> natives = Files.list(contents.getPath(NATIVES, "linux-x64"))) {
				for (Path library : natives.toList()) {
					Files.copy(library, libraries.resolve(library.getFileName().toString()));
				}
			}
			delete(contents.getPath(NATIVES));
		}
	}

	private void add(Path files) throws IOException {
		try (Stream<Path> paths = Files.walk(files)) {
			for (Path path : paths.filter(Files::isRegularFile).toList()) {
				Path target = this.image.resolve(files.relativize(path));
				Files.createDirectories(target.getParent());
				Files.copy(path, target, StandardCopyOption.REPLACE_EXISTING);
			}
		}
		Files.createDirectories(this.image.resolve("models"));
	}

	private void normalize() throws IOException {
		// Jib knows a layer by its files' times and would build the image from old ones
		delete(this.image.resolveSibling("jib-cache"));
		boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
		try (Stream<Path> paths = Files.walk(this.image)) {
			for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
				boolean open = Files.isDirectory(path) || Files.isExecutable(path);
				if (posix) {
					Files.setPosixFilePermissions(path,
							PosixFilePermissions.fromString(open ? "rwxr-xr-x" : "rw-r--r--"));
				}
				Files.setLastModifiedTime(path, TIME);
			}
		}
	}

	static void delete(Path path) throws IOException {
		if (Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
			deleteAll(path, (_) -> true);
		}
	}

	private static void deleteAll(Path root, Predicate<Path> which) throws IOException {
		try (Stream<Path> paths = Files.walk(root)) {
			for (Path path : paths.filter(which).sorted(Comparator.reverseOrder()).toList()) {
				Files.delete(path);
			}
		}
	}

	private static void check(boolean condition, String message) {
		if (!condition) {
			throw new IllegalStateException(message);
		}
	}

}
