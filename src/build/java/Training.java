import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes Java's ahead-of-time cache by running the staged server with the runtime that
 * ships: as in production, through everything that it answers, to the end by SIGTERM.
 */
final class Training {

	/**
	 * Without machine code, which Java would put in for the CPU of this machine and use
	 * on any other. Without the optimizing compiler: the server would have it compile at
	 * every start whatever it compiled here, for a fifth of the time to ready. Without
	 * profiles, which are of too few calls: with them, the server's optimizing compiler
	 * inlines less, even after half a minute of load, for 4 % of throughput. Without a file
	 * of performance data, which would be left in /tmp.
	 */
	private static final List<String> RECORD = List.of("-XX:+UnlockDiagnosticVMOptions", "-XX:-AOTAdapterCaching",
			"-XX:-AOTStubCaching", "-XX:TieredStopAtLevel=2", "-XX:-ProfileInterpreter", "-XX:-UsePerfData",
			"-XX:CompileCommand=quiet");

	/**
	 * What runs for each request, which is left to be compiled as if there were no cache. A
	 * method known from here is profiled 50,000 calls later than any other; what calls it is
	 * compiled for good by then, without it.
	 */
	private static final List<String> HOT = List.of("inference", "org.apache.coyote", "org.apache.catalina",
			"org.apache.tomcat", "tools.jackson", "ai.onnxruntime", "io.micrometer", "java.nio", "sun.nio.ch",
			"jdk.internal.foreign");

	private final Path image;

	private final Path program;

	private final Path cache;

	private final Path log;

	/**
	 * A training of the server staged at {@code image}, by the program whose sources are
	 * at {@code program}.
	 */
	Training(Path image, Path program) {
		this.image = image.toAbsolutePath();
		this.program = program;
		this.cache = this.image.resolveSibling("image-cache.aot");
		this.log = this.image.resolveSibling("image-training.log");
	}

	/**
	 * Makes the cache, unless there is one of the very same files and the same training:
	 * Java itself does not notice, before 25.0.4, that it belongs to other jars.
	 */
	Path run() throws IOException, InterruptedException {
		Path recipe = this.image.resolveSibling("image-cache.txt");
		String files = digests();
		if (Files.exists(this.cache) && Files.exists(recipe) && Files.readString(recipe).equals(files)) {
			return this.cache;
		}
		Files.deleteIfExists(this.cache);
		Files.deleteIfExists(recipe);
		serve(record(), Questions::ask);
		check(Files.exists(this.cache), "no cache came out of it");
		serve(List.of("-XX:AOTCache=" + this.cache, "-XX:AOTMode=on", "-XX:-UsePerfData"), Questions::ready);
		check(files.equals(digests()), "the files changed meanwhile");
		Files.writeString(recipe, files);
		return this.cache;
	}

	private List<String> record() {
		List<String> options = new ArrayList<>(RECORD);
		HOT.forEach((packages) -> options.add("-XX:CompileCommand=exclude,%s*::*".formatted(packages)));
		options.add("-XX:AOTCacheOutput=" + this.cache);
		return options;
	}

	private void serve(List<String> cacheOptions, Consumer<Questions> asking) throws IOException, InterruptedException {
		int port;
		try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
			port = free.getLocalPort();
		}
		Path temporary = Files.createDirectories(this.image.resolveSibling("image-tmp"));
		List<String> command = new ArrayList<>(List.of(this.image.resolve("opt/java/bin/java").toString()));
		command.addAll(cacheOptions);
		command.add("-Djava.io.tmpdir=" + temporary);
		command.addAll(arguments());
		// The class path is to be "../app/…": a class asked for where it came from answers
		// with what this is from where the server runs, be that / or /tmp.
		ProcessBuilder builder = new ProcessBuilder(command).directory(this.image.resolve("opt").toFile())
			.redirectErrorStream(true)
			.redirectOutput(this.log.toFile());
		builder.environment()
			.keySet()
			.removeAll(List.of("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JDK_AOT_VM_OPTIONS"));
		builder.environment()
			.putAll(Map.of("SERVER_PORT", Integer.toString(port), "SERVER_ADDRESS", "127.0.0.1",
					"ORT_DISABLE_TELEMETRY", "1", "LOGGING_STRUCTURED_FORMAT_CONSOLE", "ecs"));
		Process server = builder.start();
		try {
			Questions questions = new Questions("http://127.0.0.1:" + port);
			long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(5);
			while (!questions.ready()) {
				check(server.isAlive(), "the server ended");
				check(System.nanoTime() < end, "the server did not become ready");
				Thread.sleep(20);
			}
			asking.accept(questions);
			server.destroy();
			check(server.waitFor(5, TimeUnit.MINUTES), "the server did not end");
			check(server.exitValue() == 143 || server.exitValue() == 0,
					"the server ended with exit code " + server.exitValue());
		}
		finally {
			server.destroyForcibly().waitFor();
			Image.delete(temporary);
		}
	}

	/** What server.args says, with the staged files in place of the image's. */
	private List<String> arguments() throws IOException {
		return Files.readAllLines(this.image.resolve("app/server.args"))
			.stream()
			.filter((line) -> !line.startsWith("#") && !line.startsWith("-XX:AOTCache="))
			.flatMap((line) -> Stream.of(line.split(" ")))
			.filter((argument) -> !argument.isEmpty())
			.map((argument) -> argument.replace("/app/", "../app/"))
			.toList();
	}

	private String digests() throws IOException {
		Map<String, String> digests = new TreeMap<>();
		for (Path root : List.of(this.image, this.program)) {
			try (Stream<Path> paths = Files.walk(root)) {
				for (Path path : paths.filter(Files::isRegularFile).toList()) {
					digests.put(root.relativize(path).toString(), digest(path));
				}
			}
		}
		return digests.entrySet()
			.stream()
			.map((file) -> file.getValue() + "  " + file.getKey() + "\n")
			.collect(Collectors.joining());
	}

	private static String digest(Path path) throws IOException {
		try {
			return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(path)));
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private void check(boolean condition, String message) {
		if (!condition) {
			throw new IllegalStateException("The image's AOT cache could not be made, for " + message + ": see "
					+ this.log + ". A model that is not in the jar has to be there for the build, too:"
					+ " set INFERENCE_MODEL_LOCATION");
		}
	}

}
