import java.io.File;
import java.io.IOException;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Stages the files of the image in a directory, from which Jib and the Dockerfile build
 * the same image: a runtime linked from the JDK that runs this program, the libraries,
 * the application and its AOT cache.
 */
final class Image {

	/**
	 * The JDK's modules in the image. All of Java SE is there, because a fork may add a
	 * library that needs any of it. The modules that the server itself does not need take
	 * 0.7 MB of 34 MB. The modules beyond Java SE are for diagnosis ({@code jcmd}, flight
	 * recordings, debugger, JMX), JVM metrics, {@code sun.misc.Signal} and zip files.
	 */
	private static final String MODULES = "java.se,jdk.jcmd,jdk.jdwp.agent,jdk.jfr,jdk.management,jdk.management.agent,"
			+ "jdk.unsupported,jdk.zipfs";

	/**
	 * The modification time of every file in the image. The JVM refuses the AOT cache if
	 * the time of a jar has changed since the recording.
	 */
	private static final FileTime FILE_TIME = FileTime.from(Instant.ofEpochSecond(1));

	private static final Path JDK = Path.of(System.getProperty("java.home"));

	private final Path stagingDirectory;

	private final Path appDirectory;

	private Image(Path stagingDirectory) {
		this.stagingDirectory = stagingDirectory;
		this.appDirectory = stagingDirectory.resolve("app");
	}

	/**
	 * Stages the image.
	 * @param args the executable jar, the directory of files to add, the directory to
	 * stage in, and the system that builds
	 */
	public static void main(String[] args) throws Exception {
		Image image = new Image(Path.of(args[2]));
		delete(image.stagingDirectory);
		// Jib reuses a layer from its cache if the modification times of the layer's
		// files are unchanged. In this image the times never change, so Jib could reuse a
		// layer with old files.
		delete(image.stagingDirectory.resolveSibling("jib-cache"));
		boolean isLinuxAmd64 = args[3].equals("Linux amd64");
		if (isLinuxAmd64) {
			image.linkRuntime();
		}
		else {
			System.err.println("The image is built on " + args[3] + ", not on Linux amd64, so it has no Java and no AOT"
					+ " cache. Its base image must contain a JRE 25, like eclipse-temurin:25-jre");
			image.useRuntimeOfBase();
		}
		runJdkTool("java", "-Djarmode=tools", "-jar", args[0], "extract", "--application-filename", "server.jar",
				"--destination", image.appDirectory.toString());
		image.unpackNativeLibraries();
		image.generateBeans(image.appDirectory.resolve("server.jar"));
		Files.createDirectories(image.stagingDirectory.resolve("models"));
		Path localeAliases = image.stagingDirectory.resolve("usr/share/locale/locale.alias");
		Files.createDirectories(localeAliases.getParent());
		Files.copy(Path.of(args[1], "usr/share/locale/locale.alias"), localeAliases);
		image.addArgumentFiles(Path.of(args[1], "app"), isLinuxAmd64);
		image.setFileTimes();
		if (isLinuxAmd64) {
			Files.copy(new Training(image.stagingDirectory).run(), image.appDirectory.resolve("app.aot"));
			image.setFileTimes();
		}
	}

	private void linkRuntime() throws IOException, InterruptedException {
		Path runtime = this.stagingDirectory.resolve("opt/java");
		// The layers of the image are compressed, so jlink need not compress the modules.
		runJdkTool("jlink", "--compress", "zip-0", "--strip-java-debug-attributes", "--no-header-files",
				"--no-man-pages", "--add-modules", MODULES, "--output", runtime.toString());
		// Jib cannot store these links. The license texts remain in legal/java.base.
		delete(runtime.resolve("legal"), Files::isSymbolicLink);
	}

	/** Writes a script to the path of Java that starts the Java of the base image. */
	private void useRuntimeOfBase() throws IOException {
		Path java = this.stagingDirectory.resolve("opt/java/bin/java");
		Files.createDirectories(java.getParent());
		Files.writeString(java, "#!/bin/sh\nexec \"${JAVA_HOME:-/opt/java/openjdk}/bin/java\" \"$@\"\n");
		java.toFile().setExecutable(true, false);
	}

	/**
	 * Moves ONNX Runtime's libraries for Linux from its jar to files. The server would
	 * copy libraries in a jar to {@code /tmp}, which takes memory. The libraries for other
	 * systems, four fifths of the jar, are deleted.
	 */
	private void unpackNativeLibraries() throws IOException {
		Path libraries = this.appDirectory.resolve("lib");
		try (var jars = Files.newDirectoryStream(libraries, "onnxruntime*.jar")) {
			for (Path jar : jars) {
				try (var contents = FileSystems.newFileSystem(jar);
						var natives = Files.newDirectoryStream(contents.getPath("ai/onnxruntime/native/linux-x64"))) {
					for (Path library : natives) {
						Files.copy(library, libraries.resolve(library.getFileName().toString()));
					}
					delete(contents.getPath("ai/onnxruntime/native"), (_) -> true);
				}
			}
		}
	}

	/**
	 * Adds to the jar the code that Spring generates for the application's beans. This
	 * code shortens the start to 0.77 of the time and saves 40 MB of memory.
	 */
	private void generateBeans(Path jar) throws Exception {
		Path outputDirectory = this.stagingDirectory.resolveSibling("image-beans");
		delete(outputDirectory);
		String classes = outputDirectory.resolve("classes").toString();
		// Spring also generates classes, to which the generated sources refer.
		String classPath = String.join(File.pathSeparator, jar.toString(), this.appDirectory + "/lib/*", classes);
		Path sources = outputDirectory.resolve("sources");
		runJdkTool("java", "-cp", classPath, "org.springframework.boot.SpringApplicationAotProcessor",
				"inference.InferenceServer", sources.toString(), outputDirectory.resolve("resources").toString(),
				classes, "group", "artifact");
		List<String> arguments = new ArrayList<>(List.of("-nowarn", "-proc:none", "-cp", classPath, "-d", classes));
		try (Stream<Path> files = Files.walk(sources)) {
			files.filter(Files::isRegularFile).map(Path::toString).forEach(arguments::add);
		}
		runJdkTool("javac", arguments.toArray(String[]::new));
		runJdkTool("jar", "--update", "--date", "1980-02-01T00:00:00Z", "--file", jar.toString(), "-C", classes, ".");
	}

	private void addArgumentFiles(Path directory, boolean hasCache) throws IOException {
		try (var files = Files.newDirectoryStream(directory)) {
			for (Path file : files) {
				String text = Files.readString(file);
				Files.writeString(this.appDirectory.resolve(file.getFileName()),
						hasCache ? text : text.replace("-XX:AOTCache=/app/app.aot\n", ""));
			}
		}
	}

	private void setFileTimes() throws IOException {
		try (Stream<Path> paths = Files.walk(this.stagingDirectory)) {
			for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
				// jlink makes some files read-only. The Dockerfile would keep this mode,
				// but Jib ignores it, so the two images would differ.
				path.toFile().setWritable(true);
				Files.setLastModifiedTime(path, FILE_TIME);
			}
		}
	}

	private static void delete(Path path) throws IOException {
		if (Files.exists(path)) {
			delete(path, (_) -> true);
		}
	}

	private static void delete(Path root, Predicate<Path> filter) throws IOException {
		try (Stream<Path> paths = Files.walk(root)) {
			for (Path path : paths.filter(filter).sorted(Comparator.reverseOrder()).toList()) {
				Files.delete(path);
			}
		}
	}

	private static void runJdkTool(String program, String... arguments) throws IOException, InterruptedException {
		List<String> command = new ArrayList<>(List.of(JDK.resolve("bin", program).toString()));
		command.addAll(List.of(arguments));
		int exitCode = new ProcessBuilder(command).inheritIO().start().waitFor();
		if (exitCode != 0) {
			throw new IllegalStateException(program + " failed with exit code " + exitCode);
		}
	}
}
