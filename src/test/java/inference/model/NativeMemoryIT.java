package inference.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Checks that a call leaves no native memory behind.
 */
@Isolated
class NativeMemoryIT {

	private static final Path STATUS = Path.of("/proc/self/status");

	private static final int CALLS = 1_000_000;

	// The C library's own leftovers; a leak of one small tensor per call would be more.
	private static final long MOST_GROWTH = 48L << 20;

	@Test
	void freesTheMemoryOfAMillionCallsOfVaryingShapes(@TempDir Path directory) throws Exception {
		assumeThat(Files.exists(STATUS)).as("this system tells how much memory a process has").isTrue();
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.identity(DataType.FLOAT, -1));
		// A heap that is all there from the start, so that what grows is not the heap.
		Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
				"-Xms128m", "-Xmx128m", "-XX:+UseSerialGC", "-XX:+AlwaysPreTouch", "--enable-native-access=ALL-UNNAMED",
				"-cp", System.getProperty("java.class.path"), NativeMemoryIT.class.getName(), file.toString())
			.redirectErrorStream(true)
			.start();
		List<String> output = process.inputReader().lines().toList();
		assertThat(process.waitFor()).as(output.toString()).isZero();
		assertThat(Long.parseLong(output.getLast())).as("growth of the resident memory").isLessThan(MOST_GROWTH);
	}

	static void main(String[] arguments) throws IOException {
		List<Map<String, Tensor>> questions = Stream.of(1, 2, 7, 32, 1, 100, 3, 1000, 1, 0)
			.map((rows) -> Map.of("x", Tensor.ofFloats(Shape.of(rows), new float[rows])))
			.toList();
		try (OnnxModel model = OnnxFiles.open(arguments[0])) {
			call(model, questions, CALLS / 5);
			long before = resident();
			call(model, questions, CALLS);
			System.out.println(resident() - before);
		}
	}

	private static void call(OnnxModel model, List<Map<String, Tensor>> questions, int calls) {
		for (int i = 0; i < calls; i++) {
			model.infer(questions.get(i % questions.size()));
		}
	}

	private static long resident() throws IOException {
		System.gc();
		try (Stream<String> lines = Files.lines(STATUS)) {
			String line = lines.filter((candidate) -> candidate.startsWith("VmRSS:")).findFirst().orElseThrow();
			return Long.parseLong(line.replaceAll("\\D", "")) << 10;
		}
	}

}
