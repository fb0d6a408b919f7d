package bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;

import org.springframework.boot.SpringBootVersion;

/**
 * What was measured, and on what.
 */
final class Report {

	private Report() {
	}

	static void write(String name, Options options, String tables) throws IOException, InterruptedException {
		Path file = Path.of("target/bench", name);
		Files.writeString(file, "%s%n%s".formatted(circumstances(options), tables));
		System.out.printf("%n%s%n%s: src/bench/README.md says how to read it%n", tables, file);
	}

	private static String circumstances(Options options) throws IOException, InterruptedException {
		return """
				Measured at %s, commit %s, on %s with %d CPUs, %s, Java %s, Spring Boot %s.
				Rounds: %d of %d s after %d s of warm-up; the median, and in brackets the least and the most.
				""".formatted(Instant.now().truncatedTo(ChronoUnit.MINUTES),
				says("git", "describe", "--always", "--dirty"), processor(), Runtime.getRuntime().availableProcessors(),
				System.getProperty("os.name") + " " + System.getProperty("os.version"), Runtime.version(),
				SpringBootVersion.getVersion(), options.rounds(), options.seconds(), options.warmUp());
	}

	private static String processor() throws IOException {
		Path file = Path.of("/proc/cpuinfo");
		if (!Files.exists(file)) {
			return System.getProperty("os.arch");
		}
		return Files.readAllLines(file)
			.stream()
			.filter((line) -> line.startsWith("model name"))
			.findFirst()
			.map((line) -> line.substring(line.indexOf(':') + 2))
			.orElse(System.getProperty("os.arch"));
	}

	private static String says(String... command) throws InterruptedException {
		try {
			return Commands.output(List.of(command), Map.of()).strip();
		}
		catch (IOException ex) {
			return "unknown";
		}
	}

}
