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
import org.junit.jupiter.api.function.Executable;
import org.opentest4j.TestAbortedException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * What the server relies on in every model, whatever it computes. A model is asked with
 * the inputs of its golden examples, or with small numbers if it has none.
 */
public final class ModelContract {

	private static final int[] BATCHES = { 1, 2, 7 };

	private static final int CALLERS = 8;

	private static final double TOLERANCE = 1e-3;

	private static final Duration ROUND = Duration.ofSeconds(1);

	private static final int ROUNDS = 8;

	private static final int CALLS = 50_000;

	// Enough for the percentiles of a model that answers in microseconds
	private static final int TIMED_CALLS = 10_000;

	// What the C library and the heap may still grow by in a round once they are warm
	private static final long FLAT = 4 << 20;

	private static final long NOISE = FLAT / 4;

	private static final Path MAPPINGS = Path.of("/proc/self/smaps");

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
	 * The tests of a model, to be run in this order.
	 * @param constructor constructs the model, time and again; the tests close it
	 * @param deadline within which every call must end
	 */
	public static Stream<DynamicTest> tests(Supplier<? extends Model> constructor, Duration deadline) {
		ModelContract contract = new ModelContract(constructor, deadline);
		return Stream.of(test("gets its examples right", contract::getsItsExamplesRight),
				test("answers as its signature says", contract::answersAsItsSignatureSays),
				test("answers rows together as it answers them alone", contract::answersRowsTogetherAsAlone),
				test("answers callers at once as it answers one", contract::answersCallersAtOnceAsOne),
				test("answers or refuses unlikely values", contract::answersOrRefusesUnlikelyValues),
				test("answers within the deadline", contract::answersWithinTheDeadline),
				test("keeps nothing of a call", contract::freesNativeMemoryAfterEachCall),
				test("frees what it took", contract::freesNativeMemoryWhenClosed));
	}

	private static DynamicTest test(String name, Executable check) {
		return DynamicTest.dynamicTest(name, check);
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
		for (int batch : batches()) {
			Map<String, Tensor> outputs = ask(question(batch));
			this.model.signature().requireOutputs(outputs);
			for (TensorSpec output : this.model.signature().outputs()) {
				if (isBatched() && output.shape().isBatched()) {
					assertThat(tensor(outputs, output.name()).shape().dimension(0))
						.as("rows of output '%s' for %d of input: a first dimension of -1 is the batch, declare another "
								+ "as its size, or as 1 and -1 behind it", output.name(), batch)
						.isEqualTo(batch);
				}
			}
		}
	}

	void answersRowsTogetherAsAlone() {
		assumeThat(isBatched()).as("every input has a first dimension of -1, which is the batch").isTrue();
		int most = BATCHES[BATCHES.length - 1];
		Map<String, Tensor> together = ask(question(most));
		for (int row = 0; row < most; row++) {
			Map<String, Tensor> one = new LinkedHashMap<>();
			for (TensorSpec output : this.model.signature().outputs()) {
				if (output.shape().isBatched()) {
					one.put(output.name(), split(tensor(together, output.name())).get(row));
				}
			}
			assertThat(difference(one, ask(row(row))))
				.as("row %d alone, against the same row among %d. If rows are meant to see each other, they are no "
						+ "batch: declare the first dimension as 1. If it is rounding (a quantised model's scale is its "
						+ "batch's), give a golden example that tolerance.", row, most)
				.isNull();
		}
	}

	void answersCallersAtOnceAsOne() throws Exception {
		List<Map<String, Tensor>> alone = this.rows.stream().map(this::ask).toList();
		long end = System.nanoTime() + ROUND.toNanos();
		List<Callable<String>> callers = new ArrayList<>();
		for (int caller = 0; caller < CALLERS; caller++) {
			int first = caller;
			callers.add(() -> {
				for (int i = first; i < first + this.rows.size() || System.nanoTime() < end; i++) {
					int row = i % this.rows.size();
					String difference = difference(alone.get(row), this.model.infer(row(row)));
					if (difference != null) {
						return difference;
					}
				}
				return "";
			});
		}
		try (var threads = Executors.newFixedThreadPool(CALLERS)) {
			for (Future<String> difference : threads.invokeAll(callers)) {
				assertThat(difference.get())
					.as("what one of %d callers at once got, against a caller alone: infer is "
							+ "called concurrently, so keep what belongs to a call in its local variables", CALLERS)
					.isEmpty();
			}
		}
	}

	void answersOrRefusesUnlikelyValues() {
		for (byte filling : new byte[] { 0, -1 }) {
			Map<String, Tensor> question = new LinkedHashMap<>();
			row(0).forEach((name, tensor) -> question.put(name, filled(tensor, filling)));
			try {
				this.model.signature().requireOutputs(this.model.infer(question));
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
		repeat(TIMED_CALLS, () -> {
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
		assertFlat("calls, each of which leaves something behind", () -> this.model.infer(row(0)));
	}

	void freesNativeMemoryWhenClosed() {
		this.model.close();
		assertFlat("constructions, after each of which close() leaves something behind", () -> {
			try (Model another = this.constructor.get()) {
				another.infer(row(0));
			}
		});
	}

	// Whoever leaks does so in every round; what only warms up does not in a later one,
	// and one round may be hidden by what else the process does
	private void assertFlat(String what, Runnable action) {
		assumeThat(Files.exists(MAPPINGS)).as("this system tells how much memory a process has").isTrue();
		List<Long> growths = new ArrayList<>();
		long before = settled();
		while (growths.stream().filter((growth) -> growth < FLAT).count() < 2) {
			assertThat(growths).as("bytes that the process grew by in each round of %s", what).hasSizeLessThan(ROUNDS);
			repeat(CALLS, action);
			long after = settled();
			growths.add(after - before);
			before = after;
		}
	}

	private static void repeat(int maxTimes, Runnable action) {
		long end = System.nanoTime() + ROUND.toNanos();
		int times = 0;
		while (times == 0 || (times < maxTimes && System.nanoTime() < end)) {
			action.run();
			times++;
		}
	}

	// Direct buffers that nothing refers to are freed after the collection, by another
	// thread: one look may come too early, by hundreds of megabytes that the next has not
	private static long settled() {
		long last = resident();
		long next = resident();
		while (last - next > NOISE) {
			last = next;
			next = resident();
		}
		return next;
	}

	// Native memory, and what lives in the heap: how much of the heap itself is resident
	// says nothing. The JVM places it below 32 GB, the C library nothing.
	private static long resident() {
		System.gc();
		returnFreeMemory();
		long resident = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
		long address = 0;
		try {
			for (String line : Files.readAllLines(MAPPINGS)) {
				int dash = line.indexOf('-');
				if (line.startsWith("Rss:") && address > 32L << 30) {
					resident += Long.parseLong(line.replaceAll("\\D", "")) << 10;
				}
				else if (dash > 0 && line.indexOf(':') > dash) {
					address = Long.parseUnsignedLong(line.substring(0, dash), 16);
				}
			}
			return resident;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	// Else the C library keeps what was freed before, and a leak hides in it for a while
	@SuppressWarnings("restricted")
	private static void returnFreeMemory() {
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

	private Map<String, Tensor> ask(Map<String, Tensor> question) {
		try {
			return this.model.infer(question);
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

	private int[] batches() {
		return isBatched() ? BATCHES : new int[] { 1 };
	}

	private Map<String, Tensor> row(int index) {
		return this.rows.get(index % this.rows.size());
	}

	private Map<String, Tensor> question(int batch) {
		Map<String, Tensor> question = new LinkedHashMap<>();
		for (String name : this.rows.getFirst().keySet()) {
			question.put(name, (batch == 1) ? tensor(row(0), name)
					: join(IntStream.range(0, batch).mapToObj((row) -> tensor(row(row), name)).toList()));
		}
		return question;
	}

	private static boolean isBatched(Model model) {
		return model.signature().inputs().stream().allMatch((input) -> input.shape().isBatched());
	}

	// Single rows, different ones if there are, of the same shape, so that they can be
	// joined
	private static List<Map<String, Tensor>> rows(Model model, int step) {
		List<Map<String, Tensor>> questions = model.examples().isEmpty() ? madeUp(model.signature(), step)
				: model.examples().stream().map(Example::inputs).toList();
		if (!isBatched(model)) {
			return questions;
		}
		List<Map<String, Tensor>> rows = new ArrayList<>();
		for (Map<String, Tensor> question : questions) {
			Map<String, List<Tensor>> split = new LinkedHashMap<>();
			question.forEach((name, tensor) -> split.put(name, split(tensor)));
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

	private static List<Map<String, Tensor>> madeUp(Signature signature, int step) {
		List<Map<String, Tensor>> questions = new ArrayList<>();
		for (int number = 0; number < BATCHES[BATCHES.length - 1]; number++) {
			List<String> inputs = new ArrayList<>();
			for (TensorSpec input : signature.inputs()) {
				String values = String.valueOf(step * number);
				for (int i = input.shape().rank() - 1; i >= 0; i--) {
					int size = (int) Math.max(1, input.shape().dimension(i));
					values = Collections.nCopies(size, values).toString();
				}
				inputs.add("\"%s\":%s".formatted(input.name(), values));
			}
			String json = "[{\"inputs\":{%s},\"outputs\":{}}]".formatted(String.join(",", inputs));
			questions.add(Example.read(json, signature).getFirst().inputs());
		}
		return questions;
	}

	private static Tensor filled(Tensor tensor, byte filling) {
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
		ByteBuffer rest = tensor.contents();
		List<Tensor> split = new ArrayList<>();
		for (int row = 0; row < rows; row++) {
			int size = tensor.dataType().byteCount(rest, shape.elementCount());
			split.add(Tensor.of(tensor.dataType(), shape, rest.slice(rest.position(), size)));
			rest.position(rest.position() + size);
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
