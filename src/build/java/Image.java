import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;

/**
 * Stages the files of the image in a directory, from which Jib and the Dockerfile build
 * the same image: a runtime linked from the JDK that runs this program, the libraries,
 * the application and its AOT cache.
 */
final class Image {

	/**
	 * All of Java SE, so that any library that a fork adds finds its modules: the ones
	 * that are not used yet are 0.7 MB of 34 MB. In addition {@code jcmd} and flight
	 * recordings for diagnosis, JVM metrics, {@code sun.misc.Signal}, and zip files.
	 */
	private static final String MODULES = "java.se,jdk.jcmd,jdk.jfr,jdk.management,jdk.unsupported,jdk.zipfs";

	/** Modules are not compressed, because the image's layers are. */
	private static final List<String> LINKING = List.of("--compress", "zip-0", "--strip-java-debug-attributes",
			"--no-header-files", "--no-man-pages", "--add-modules", MODULES);

	/** The time of every file in the image. The AOT cache knows the jars by their times. */
	private static final FileTime TIME = FileTime.from(Instant.ofEpochSecond(1));

	private static final Path JDK = Path.of(System.getProperty("java.home"));

	private final Path image;

	private final Path app;

	private Image(Path image) {
		this.image = image;
		this.app = image.resolve("app");
	}

	/**
	 * Stages the image.
	 * @param args the executable jar, the directory of files to add, the directory to
	 * stage in, and the system that builds
	 */
	public static void main(String[] args) throws Exception {
		Image image = new Image(Path.of(args[2]));
		boolean complete = args[3].equals("Linux amd64");
		if (complete) {
			image.linkRuntime();
		}
		else {
			System.err.println("The image is built on " + args[3] + ", not on Linux amd64, so it has no Java and no AOT"
					+ " cache: its base has to bring a JRE 25, as eclipse-temurin:25-jre does");
			image.useRuntimeOfBase();
		}
		image.extractApplication(Path.of(args[0]));
		image.unpackNativeLibraries();
		image.addFiles(Path.of(args[1]));
		image.setTimesAndPermissions();
		if (complete) {
			Files.copy(new Training(image.image).run(), image.app.resolve("app.aot"));
		}
		else {
			Path arguments = image.app.resolve("server.args");
			Files.writeString(arguments, Files.readString(arguments).replace("-XX:AOTCache=/app/app.aot\n", ""));
		}
		image.setTimesAndPermissions();
	}

	private void linkRuntime() throws IOException {
		Path runtime = this.image.resolve("opt/java");
		Path recipe = this.image.resolveSibling("image-runtime.txt");
		String wanted = Files.readString(JDK.resolve("release")) + LINKING;
		if (Files.exists(runtime.resolve("bin/java")) && Files.exists(recipe)
				&& Files.readString(recipe).equals(wanted)) {
			return;
		}
		delete(runtime);
		List<String> arguments = new ArrayList<>(LINKING);
		arguments.addAll(List.of("--output", runtime.toString()));
		int code = ToolProvider.findFirst("jlink")
			.orElseThrow(() -> new IllegalStateException(JDK + " has no jlink: a whole JDK is needed"))
			.run(new PrintWriter(System.out, true), new PrintWriter(System.err, true),
					arguments.toArray(String[]::new));
		check(code == 0, "jlink failed with exit code " + code);
		// Jib cannot carry links. Each of these names a text in legal/java.base.
		delete(runtime.resolve("legal"), Files::isSymbolicLink);
		Files.writeString(recipe, wanted);
	}

	/** Makes the Java of the base image known by the path that all commands use. */
	private void useRuntimeOfBase() throws IOException {
		delete(this.image.resolve("opt"));
		Path java = this.image.resolve("opt/java/bin/java");
		Files.createDirectories(java.getParent());
		Files.writeString(java, "#!/bin/sh\nexec \"${JAVA_HOME:-/opt/java/openjdk}/bin/java\" \"$@\"\n");
		java.toFile().setExecutable(true);
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
	 * Takes ONNX Runtime's libraries out of its jar. Those of other systems are four
	 * fifths of the jar, and those of this one would be copied to {@code /tmp}, which is
	 * memory, at every start.
	 */
	private void unpackNativeLibraries() throws IOException {
		Path libraries = this.app.resolve("lib");
		try (var jars = Files.newDirectoryStream(libraries, "onnxruntime*.jar")) {
			for (Path jar : jars) {
				try (var contents = FileSystems.newFileSystem(jar);
						var natives = Files.newDirectoryStream(contents.getPath("ai/onnxruntime/native/linux-x64"))) {
					for (Path library : natives) {
						Files.copy(library, libraries.resolve(library.getFileName().toString()));
					}
					delete(contents.getPath("ai/onnxruntime/native"));
				}
			}
		}
	}

	private void addFiles(Path files) throws IOException {
		try (Stream<Path> paths = Files.walk(files)) {
			for (Path path : paths.filter(Files::isRegularFile).toList()) {
				Path target = this.image.resolve(files.relativize(path));
				Files.createDirectories(target.getParent());
				Files.copy(path, target, StandardCopyOption.REPLACE_EXISTING);
			}
		}
		Files.createDirectories(this.image.resolve("models"));
	}

	private void setTimesAndPermissions() throws IOException {
		// Jib recognizes a layer by its files' times, and would take an old one from here
		delete(this.image.resolveSibling("jib-cache"));
		boolean posix = FileSystems.getDefault().supportedFileAttributeViews().contains("posix");
		try (Stream<Path> paths = Files.walk(this.image)) {
			for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
				boolean executable = Files.isDirectory(path) || Files.isExecutable(path);
				if (posix) {
					Files.setPosixFilePermissions(path,
							PosixFilePermissions.fromString(executable ? "rwxr-xr-x" : "rw-r--r--"));
				}
				Files.setLastModifiedTime(path, TIME);
			}
		}
	}

	private static void delete(Path path) throws IOException {
		if (Files.exists(path)) {
			delete(path, (_) -> true);
		}
	}

	private static void delete(Path root, Predicate<Path> which) throws IOException {
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
