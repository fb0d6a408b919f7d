package inference.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.opentest4j.TestAbortedException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

/**
 * Tests of what the server expects of every model. They use the inputs of the model's
 * golden examples, or small numbers if it has no examples.
 */
public final class ModelContract {

	private static final int[] BATCH_SIZES = { 1, 2, 7 };

	private static final int CALLER_COUNT = 8;

	private static final double TOLERANCE = 1e-3;

	private static final Duration ROUND_DURATION = Duration.ofSeconds(1);

	private static final int MAX_ROUNDS = 8;

	private static final int MAX_CALLS_PER_ROUND = 50_000;

	// This many calls are enough for the percentiles of a model that takes microseconds.
	private static final int MAX_TIMED_CALLS = 10_000;

	// Even without a leak, the C library and the heap may grow by this much in a round.
	private static final long MAX_GROWTH_BYTES = 4 << 20;

	private static final long MAX_NOISE_BYTES = MAX_GROWTH_BYTES / 4;

	private static final Path MEMORY_MAP_FILE = Path.of("/proc/self/smaps");

	private final Supplier<? extends Model> constructor;

	private final Duration deadline;

	private final Model model;

	private final List<Map<String, Tensor>> rows;

	private ModelContract(Supplier<? extends Model> constructor, Duration deadline) {
		this.constructor = constructor;
		this.deadline = deadline;
		this.model = constructor.get();
		List<Map<String, Tensor>> rows = rows(this.model, 1);
		this.rows = isUsable(this.model, rows) ? rows : rows(this.model, 0);
	}

	/**
	 * The tests of a model. They must run in this order.
	 * @param constructor constructs the model, more than once; the tests close it
	 * @param deadline the time within which every call must end
	 */
	public static Stream<DynamicTest> tests(Supplier<? extends Model> constructor, Duration deadline) {
		ModelContract contract = new ModelContract(constructor, deadline);
		return Stream.of(dynamicTest("gets its examples right", contract::getsItsExamplesRight),
				dynamicTest("answers as its signature says", contract::answersAsItsSignatureSays),
				dynamicTest("answers rows together as it answers them alone", contract::answersRowsTogetherAsAlone),
				dynamicTest("answers callers at once as it answers one", contract::answersCallersAtOnceAsOne),
				dynamicTest("answers or refuses unlikely values", contract::answersOrRefusesUnlikelyValues),
				dynamicTest("answers within the deadline", contract::answersWithinTheDeadline),
				dynamicTest("keeps nothing of a call", contract::freesNativeMemoryAfterEachCall),
				dynamicTest("frees what it took", contract::freesNativeMemoryWhenClosed));
	}

	void getsItsExamplesRight() {
		assumeThat(this.model.examples())
			.as("golden examples: Model.examples(), or in an ONNX file's metadata; with none, a corrupt model is served")
			.isNotEmpty();
		for (Example example : this.model.examples()) {
			assertThat(example.difference(this.model.infer(example.inputs()))).isNull();
		}
	}

	void answersAsItsSignatureSays() {
		for (int rowCount : batchSizes()) {
			Map<String, Tensor> outputs = inferOrSkip(inputs(rowCount));
			this.model.signature().requireOutputs(outputs);
			for (TensorSpec output : this.model.signature().outputs()) {
				if (isBatched() && output.shape().isBatched()) {
					assertThat(tensor(outputs, output.name()).shape().dimension(0))
						.as("rows of output '%s' for %d of input: a first dimension of -1 is the batch, declare another "
								+ "as its size, or as 1 and -1 behind it", output.name(), rowCount)
						.isEqualTo(rowCount);
				}
			}
		}
	}

	void answersRowsTogetherAsAlone() {
		assumeThat(isBatched()).as("every input has a first dimension of -1, which is the batch").isTrue();
		int rowCount = BATCH_SIZES[BATCH_SIZES.length - 1];
		Map<String, Tensor> together = inferOrSkip(inputs(rowCount));
		for (int row = 0; row < rowCount; row++) {
			Map<String, Tensor> expectedRow = new LinkedHashMap<>();
			for (TensorSpec output : this.model.signature().outputs()) {
				if (output.shape().isBatched()) {
					expectedRow.put(output.name(), split(tensor(together, output.name())).get(row));
				}
			}
			assertThat(difference(expectedRow, inferOrSkip(row(row))))
				.as("row %d alone, against the same row in a batch of %d. If the model relates rows to each other, "
						+ "declare the first dimension as 1. If the difference is rounding (the scale of a quantised "
						+ "model depends on the batch), give a golden example this tolerance.", row, rowCount)
				.isNull();
		}
	}

	void answersCallersAtOnceAsOne() throws Exception {
		List<Map<String, Tensor>> alone = this.rows.stream().map(this::inferOrSkip).toList();
		long end = System.nanoTime() + ROUND_DURATION.toNanos();
		List<Callable<String>> callers = new ArrayList<>();
		for (int caller = 0; caller < CALLER_COUNT; caller++) {
			int firstRow = caller;
			callers.add(() -> {
				for (int i = firstRow; i < firstRow + this.rows.size() || System.nanoTime() < end; i++) {
					int row = i % this.rows.size();
					String difference = difference(alone.get(row), this.model.infer(row(row)));
					if (difference != null) {
						return difference;
					}
				}
				return "";
			});
		}
		try (var threads = Executors.newFixedThreadPool(CALLER_COUNT)) {
			for (Future<String> difference : threads.invokeAll(callers)) {
				assertThat(difference.get())
					.as("the answer to one of %d concurrent callers, against a single caller: infer is "
							+ "called concurrently, so keep the data of a call in local variables", CALLER_COUNT)
					.isEmpty();
			}
		}
	}

	void answersOrRefusesUnlikelyValues() {
		for (byte filling : new byte[] { 0, -1 }) {
			Map<String, Tensor> inputs = new LinkedHashMap<>();
			row(0).forEach((name, tensor) -> inputs.put(name, fill(tensor, filling)));
			try {
				this.model.signature().requireOutputs(this.model.infer(inputs));
			}
			catch (IllegalArgumentException ex) {
				assertThat(ex.getMessage()).as("what the client is told").isNotBlank();
			}
			catch (RuntimeException ex) {
				throw new AssertionError(
						"%s is a client's mistake, to be refused with an IllegalArgumentException".formatted(
								(filling == 0) ? "An empty text, or zero," : "A text that is not UTF-8, NaN or -1"),
						ex);
			}
		}
	}

	void answersWithinTheDeadline() {
		List<Long> nanos = new ArrayList<>();
		repeat(MAX_TIMED_CALLS, () -> {
			long start = System.nanoTime();
			this.model.infer(row(0));
			nanos.add(System.nanoTime() - start);
		});
		Collections.sort(nanos);
		System.out.printf("%s: %.3f ms at the median, %.3f ms at the 99th percentile, of %d calls of one row%n",
				this.model.getClass().getSimpleName(), percentile(nanos, 50) / 1e6, percentile(nanos, 99) / 1e6,
				nanos.size());
		assertThat(Duration.ofNanos(nanos.getLast())).as("the slowest call").isLessThan(this.deadline);
	}

	void freesNativeMemoryAfterEachCall() {
		assertNoMemoryGrowth("calls, each of which leaves something behind", () -> this.model.infer(row(0)));
	}

	void freesNativeMemoryWhenClosed() {
		this.model.close();
		assertNoMemoryGrowth("constructions, after each of which close() leaves something behind", () -> {
			try (Model another = this.constructor.get()) {
				another.infer(row(0));
			}
		});
	}

	// A leak grows in every round, and a warm-up only in the first rounds. Two rounds
	// without growth are needed, because other activity may hide the leak in one.
	private void assertNoMemoryGrowth(String description, Runnable action) {
		assumeThat(Files.exists(MEMORY_MAP_FILE)).as("this system tells how much memory a process has").isTrue();
		List<Long> growths = new ArrayList<>();
		long before = settledMemoryBytes();
		while (growths.stream().filter((growth) -> growth < MAX_GROWTH_BYTES).count() < 2) {
			assertThat(growths).as("bytes that the process grew by in each round of %s", description)
				.hasSizeLessThan(MAX_ROUNDS);
			repeat(MAX_CALLS_PER_ROUND, action);
			long after = settledMemoryBytes();
			growths.add(after - before);
			before = after;
		}
	}

	private static void repeat(int maxCalls, Runnable action) {
		long end = System.nanoTime() + ROUND_DURATION.toNanos();
		int times = 0;
		while (times == 0 || (times < maxCalls && System.nanoTime() < end)) {
			action.run();
			times++;
		}
	}

	// Another thread frees unreachable direct buffers after the garbage collection. So
	// the memory is measured again until it no longer shrinks.
	private static long settledMemoryBytes() {
		long last = residentBytes();
		long next = residentBytes();
		while (last - next > MAX_NOISE_BYTES) {
			last = next;
			next = residentBytes();
		}
		return next;
	}

	// Adds the live objects of the heap and the resident native memory. The resident
	// memory of the heap itself tells nothing, so addresses below 32 GB are left out: the
	// JVM places the heap there, and the C library uses higher addresses.
	private static long residentBytes() {
		System.gc();
		trimNativeHeap();
		long residentBytes = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
		long address = 0;
		try {
			for (String line : Files.readAllLines(MEMORY_MAP_FILE)) {
				int dash = line.indexOf('-');
				if (line.startsWith("Rss:") && address > 32L << 30) {
					residentBytes += Long.parseLong(line.replaceAll("\\D", "")) << 10;
				}
				else if (dash > 0 && line.indexOf(':') > dash) {
					address = Long.parseUnsignedLong(line.substring(0, dash), 16);
				}
			}
			return residentBytes;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	// The C library keeps freed memory by default, and a leak could hide in it.
	@SuppressWarnings("restricted")
	private static void trimNativeHeap() {
		Linker linker = Linker.nativeLinker();
		linker.defaultLookup().find("malloc_trim").ifPresent((trim) -> {
			try {
				int _ = (int) linker
					.downcallHandle(trim, FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG))
					.invokeExact(0L);
			}
			catch (Throwable ex) {
				throw new IllegalStateException(ex);
			}
		});
	}

	private static long percentile(List<Long> sorted, int percent) {
		return sorted.get((sorted.size() - 1) * percent / 100);
	}

	private Map<String, Tensor> inferOrSkip(Map<String, Tensor> inputs) {
		try {
			return this.model.infer(inputs);
		}
		catch (RuntimeException ex) {
			if (!this.model.examples().isEmpty()) {
				throw ex;
			}
			throw new TestAbortedException(
					"The model can use neither small numbers nor zeros, so there is nothing to ask it: give it a golden example",
					ex);
		}
	}

	private @Nullable String difference(Map<String, Tensor> expected, Map<String, Tensor> actual) {
		double tolerance = this.model.examples().stream().mapToDouble(Example::tolerance).max().orElse(TOLERANCE);
		return new Example(Map.of(), expected, tolerance).difference(actual);
	}

	private boolean isBatched() {
		return isBatched(this.model);
	}

	private int[] batchSizes() {
		return isBatched() ? BATCH_SIZES : new int[] { 1 };
	}

	private Map<String, Tensor> row(int index) {
		return this.rows.get(index % this.rows.size());
	}

	private Map<String, Tensor> inputs(int rowCount) {
		Map<String, Tensor> inputs = new LinkedHashMap<>();
		for (String name : this.rows.getFirst().keySet()) {
			inputs.put(name, (rowCount == 1) ? tensor(row(0), name)
					: join(IntStream.range(0, rowCount).mapToObj((row) -> tensor(row(row), name)).toList()));
		}
		return inputs;
	}

	private static boolean isBatched(Model model) {
		return model.signature().inputs().stream().allMatch((input) -> input.shape().isBatched());
	}

	// Returns single rows of the inputs. All have the same shapes, so they can be joined.
	private static List<Map<String, Tensor>> rows(Model model, int factor) {
		List<Map<String, Tensor>> inputsList = model.examples().isEmpty() ? smallNumbers(model.signature(), factor)
				: model.examples().stream().map(Example::inputs).toList();
		if (!isBatched(model)) {
			return inputsList;
		}
		List<Map<String, Tensor>> rows = new ArrayList<>();
		for (Map<String, Tensor> inputs : inputsList) {
			Map<String, List<Tensor>> split = new LinkedHashMap<>();
			inputs.forEach((name, tensor) -> split.put(name, split(tensor)));
			int count = split.values().iterator().next().size();
			for (int i = 0; i < count; i++) {
				int index = i;
				Map<String, Tensor> row = new LinkedHashMap<>();
				split.forEach((name, tensors) -> row.put(name, tensors.get(index)));
				if (rows.isEmpty() || row.toString().equals(rows.getFirst().toString())) {
					rows.add(row);
				}
			}
		}
		return rows;
	}

	private static boolean isUsable(Model model, List<Map<String, Tensor>> rows) {
		try {
			rows.forEach(model::infer);
			return true;
		}
		catch (RuntimeException ex) {
			return false;
		}
	}

	private static List<Map<String, Tensor>> smallNumbers(Signature signature, int factor) {
		List<Map<String, Tensor>> inputsList = new ArrayList<>();
		for (int number = 0; number < BATCH_SIZES[BATCH_SIZES.length - 1]; number++) {
			List<String> inputs = new ArrayList<>();
			for (TensorSpec input : signature.inputs()) {
				String values = String.valueOf(factor * number);
				for (int i = input.shape().rank() - 1; i >= 0; i--) {
					int size = (int) Math.max(1, input.shape().dimension(i));
					values = Collections.nCopies(size, values).toString();
				}
				inputs.add("\"%s\":%s".formatted(input.name(), values));
			}
			String json = "[{\"inputs\":{%s},\"outputs\":{}}]".formatted(String.join(",", inputs));
			inputsList.add(Example.read(json, signature).getFirst().inputs());
		}
		return inputsList;
	}

	private static Tensor fill(Tensor tensor, byte filling) {
		if (tensor.dataType() == DataType.BYTES) {
			String text = (filling == 0) ? "\0\0\0\0" : "\1\0\0\0\377";
			String texts = text.repeat(Math.toIntExact(tensor.shape().elementCount()));
			return Tensor.of(DataType.BYTES, tensor.shape(),
					ByteBuffer.wrap(texts.getBytes(StandardCharsets.ISO_8859_1)));
		}
		byte[] bytes = new byte[tensor.contents().remaining()];
		Arrays.fill(bytes, (tensor.dataType() == DataType.BOOL) ? (byte) -filling : filling);
		return Tensor.of(tensor.dataType(), tensor.shape(), ByteBuffer.wrap(bytes));
	}

	private static List<Tensor> split(Tensor tensor) {
		long[] dimensions = tensor.shape().dimensions();
		int rows = Math.toIntExact(dimensions[0]);
		dimensions[0] = 1;
		Shape shape = Shape.of(dimensions);
		ByteBuffer remaining = tensor.contents();
		List<Tensor> split = new ArrayList<>();
		for (int row = 0; row < rows; row++) {
			int size = tensor.dataType().byteCount(remaining, shape.elementCount());
			split.add(Tensor.of(tensor.dataType(), shape, remaining.slice(remaining.position(), size)));
			remaining.position(remaining.position() + size);
		}
		return split;
	}

	private static Tensor join(List<Tensor> rows) {
		long[] dimensions = rows.getFirst().shape().dimensions();
		dimensions[0] = rows.size();
		return Tensor.join(rows.getFirst().dataType(), Shape.of(dimensions), rows);
	}

	private static Tensor tensor(Map<String, Tensor> tensors, String name) {
		return Objects.requireNonNull(tensors.get(name), name);
	}

}
