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
	 * All of Java SE, so that any library that a fork adds finds its modules: the unused
	 * ones take 0.7 MB of 34 MB. In addition {@code jcmd}, flight recordings, the
	 * debugger's agent and the JMX agent for diagnosis, JVM metrics,
	 * {@code sun.misc.Signal}, and zip files.
	 */
	private static final String MODULES = "java.se,jdk.jcmd,jdk.jdwp.agent,jdk.jfr,jdk.management,jdk.management.agent,"
			+ "jdk.unsupported,jdk.zipfs";

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
		delete(image.image);
		// Jib recognizes a layer by its files' times, and would take an old one from here
		delete(image.image.resolveSibling("jib-cache"));
		boolean complete = args[3].equals("Linux amd64");
		if (complete) {
			image.linkRuntime();
		}
		else {
			System.err.println("The image is built on " + args[3] + ", not on Linux amd64, so it has no Java and no AOT"
					+ " cache: its base has to bring a JRE 25, as eclipse-temurin:25-jre does");
			image.useRuntimeOfBase();
		}
		run("java", "-Djarmode=tools", "-jar", args[0], "extract", "--application-filename", "server.jar",
				"--destination", image.app.toString());
		image.unpackNativeLibraries();
		image.generateBeans(image.app.resolve("server.jar"));
		Files.createDirectories(image.image.resolve("models"));
		Path aliases = image.image.resolve("usr/share/locale/locale.alias");
		Files.createDirectories(aliases.getParent());
		Files.copy(Path.of(args[1], "usr/share/locale/locale.alias"), aliases);
		image.addArguments(Path.of(args[1], "app"), complete);
		image.setTimes();
		if (complete) {
			Files.copy(new Training(image.image).run(), image.app.resolve("app.aot"));
			image.setTimes();
		}
	}

	private void linkRuntime() throws IOException, InterruptedException {
		Path runtime = this.image.resolve("opt/java");
		// Modules are not compressed, because the image's layers are
		run("jlink", "--compress", "zip-0", "--strip-java-debug-attributes", "--no-header-files", "--no-man-pages",
				"--add-modules", MODULES, "--output", runtime.toString());
		// Jib cannot carry links. Each of these names a text in legal/java.base.
		delete(runtime.resolve("legal"), Files::isSymbolicLink);
	}

	/** Makes the Java of the base image known by the path that all commands use. */
	private void useRuntimeOfBase() throws IOException {
		Path java = this.image.resolve("opt/java/bin/java");
		Files.createDirectories(java.getParent());
		Files.writeString(java, "#!/bin/sh\nexec \"${JAVA_HOME:-/opt/java/openjdk}/bin/java\" \"$@\"\n");
		java.toFile().setExecutable(true, false);
	}

	/**
	 * Takes ONNX Runtime's libraries out of its jar, of which those of other systems are
	 * four fifths. From the jar they would be copied to {@code /tmp}, which is memory.
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
					delete(contents.getPath("ai/onnxruntime/native"), (_) -> true);
				}
			}
		}
	}

	/**
	 * Adds to the jar the code that Spring generates for the application's beans. The
	 * server then takes 0.77 of the time to ready and 40 MB less memory.
	 */
	private void generateBeans(Path jar) throws Exception {
		Path generated = this.image.resolveSibling("image-beans");
		delete(generated);
		String classPath = jar + File.pathSeparator + this.app.resolve("lib/*");
		String classes = generated.resolve("classes").toString();
		Path sources = generated.resolve("sources");
		run("java", "-cp", classPath, "org.springframework.boot.SpringApplicationAotProcessor",
				"inference.InferenceServer", sources.toString(), generated.resolve("resources").toString(), classes,
				"group", "artifact");
		List<String> arguments = new ArrayList<>(List.of("-nowarn", "-proc:none", "-cp", classPath, "-d", classes));
		try (Stream<Path> files = Files.walk(sources)) {
			files.filter(Files::isRegularFile).map(Path::toString).forEach(arguments::add);
		}
		run("javac", arguments.toArray(String[]::new));
		run("jar", "--update", "--date", "1980-02-01T00:00:00Z", "--file", jar.toString(), "-C", classes, ".");
	}

	private void addArguments(Path directory, boolean withCache) throws IOException {
		try (var files = Files.newDirectoryStream(directory)) {
			for (Path file : files) {
				String text = Files.readString(file);
				Files.writeString(this.app.resolve(file.getFileName()),
						withCache ? text : text.replace("-XX:AOTCache=/app/app.aot\n", ""));
			}
		}
	}

	private void setTimes() throws IOException {
		try (Stream<Path> paths = Files.walk(this.image)) {
			for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
				// jlink makes some files read-only; Jib gives all files the same mode.
				path.toFile().setWritable(true);
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

	/** Runs a program of the JDK. */
	private static void run(String program, String... arguments) throws IOException, InterruptedException {
		List<String> command = new ArrayList<>(List.of(JDK.resolve("bin", program).toString()));
		command.addAll(List.of(arguments));
		int code = new ProcessBuilder(command).inheritIO().start().waitFor();
		if (code != 0) {
			throw new IllegalStateException(program + " failed with exit code " + code);
		}
	}
}
