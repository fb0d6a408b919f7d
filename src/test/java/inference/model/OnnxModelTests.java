package inference.model;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.core.OverridingClassLoader;
import org.springframework.core.io.ClassPathResource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatNoException;
import static org.awaitility.Awaitility.await;

class OnnxModelTests {

	private final Path directory;

	OnnxModelTests(@TempDir Path directory) {
		this.directory = directory;
	}

	@ParameterizedTest
	@CsvSource({ "BOOL, BOOL", "UINT8, UINT8", "INT8, INT8", "INT16, INT16", "INT32, INT32", "INT64, INT64",
			"FLOAT16, FP16", "BFLOAT16, BF16", "FLOAT, FP32", "DOUBLE, FP64" })
	void passesEveryBitOfAFixedWidthType(TensorProto.DataType declared, DataType dataType) throws IOException {
		try (var model = load(OnnxFiles.identity(declared, -1, 2))) {
			assertThat(model.signature().inputs())
				.containsExactly(new TensorSpec("x", dataType, Shape.of(Shape.VARIABLE, 2)));
			assertThat(model.signature().outputs())
				.containsExactly(new TensorSpec("y", dataType, Shape.of(Shape.VARIABLE, 2)));
			var x = Tensor.of(dataType, Shape.of(3, 2), bits(dataType, 6));
			var y = infer(model, Map.of("x", x), "y");
			assertThat(y).hasToString(x.toString());
			assertThat(y.contents()).isEqualTo(x.contents());
		}
	}

	@Test
	void readsExamplesFromTheMetadata() throws Exception {
		try (OnnxModel model = load(OnnxFiles.echo("""
				[{"inputs":{"x":[1.5,-2,NaN]},"outputs":{"y":[1.5,-2,NaN]},"tolerance":0.5}]"""))) {
			Example example = model.examples().getFirst();
			assertThat(example.difference(model.infer(example.inputs()))).isNull();
			assertThat(example.difference(Map.of("y", Tensor.ofFloats(Shape.of(3), 1.5f, -4, Float.NaN))))
				.isEqualTo("output 'y' is -4.0 instead of -2.0 at element 1");
			assertThat(example.difference(Map.of("y", Tensor.ofFloats(Shape.of(1), 1))))
				.isEqualTo("output 'y' is FP32 [1] instead of FP32 [3]");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "no json", "[{}]", "[{\"inputs\":{\"z\":[1]},\"outputs\":{}}]",
			"[{\"inputs\":{\"x\":[[1,2],[3]]},\"outputs\":{}}]", "[{\"inputs\":{\"x\":[\"1\"]},\"outputs\":{}}]",
			"[{\"inputs\":{\"x\":[null]},\"outputs\":{}}]", "[{\"inputs\":{},\"outputs\":{}}]",
			"[{\"inputs\":{\"x\":[[1]]},\"outputs\":{}}]", "{\"inputs\":{\"x\":[1]},\"outputs\":{}}", "7", "" })
	void saysThatItsExamplesDoNotFit(String examples) {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> load(OnnxFiles.echo(examples)))
			.withMessageContaining("its metadata 'inference.examples' is not as expected: ");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			INT8   | [127,300]  | INT8 cannot hold the value 300
			UINT64 | [-1]       | UINT64 cannot hold the value -1
			INT64  | [1.9]      | INT64 cannot hold the value 1.9
			INT64  | [9223372036854775808] | INT64 cannot hold the value 9223372036854775808
			FP32   | [1e40]     | FP32 cannot hold the value 1.0E40
			FP32   | [[1,2],[3,4,5],[6]] | an array has rows of different lengths
			""")
	void refusesExamplesWhoseValuesWouldBeChanged(DataType dataType, String array, String problem) {
		Signature signature = new Signature(List.of(new TensorSpec("x", dataType, Shape.UNKNOWN_RANK)),
				List.of(new TensorSpec("y", dataType, Shape.UNKNOWN_RANK)));
		assertThatIllegalArgumentException()
			.isThrownBy(() -> Example.read("[{\"inputs\":{\"x\":%s},\"outputs\":{}}]".formatted(array), signature))
			.withMessageEndingWith(problem);
	}

	@Test
	void cancelEndsOnlyTheCallOfThatThread() throws Exception {
		try (OnnxModel model = load(OnnxFiles.slow())) {
			CompletableFuture<Throwable> one = new CompletableFuture<>();
			CompletableFuture<Throwable> other = new CompletableFuture<>();
			Thread caller = runUntilTold(one, () -> run(model, Long.MAX_VALUE));
			Thread otherCaller = runUntilTold(other, () -> run(model, Long.MAX_VALUE));
			await().pollInterval(Duration.ofMillis(10)).until(() -> cancel(model, caller, one));
			assertThat(run(model, 1)).containsExactly(2);
			assertThat(other).isNotDone();
			await().pollInterval(Duration.ofMillis(10)).until(() -> cancel(model, otherCaller, other));
			for (int i = 0; i < 3; i++) {
				model.cancel(Thread.currentThread());
				assertThat(run(model, 1)).containsExactly(2);
			}
		}
	}

	@ParameterizedTest
	@ValueSource(longs = { 1_000_000, 1L << 31, 1L << 40, Long.MAX_VALUE })
	void refusesACallThatNeedsMoreMemoryThanThereIs(long size) throws Exception {
		try (OnnxModel model = load(OnnxFiles.zeros())) {
			Map<String, Tensor> largeShape = Map.of("shape", Tensor.ofLongs(Shape.of(2), size, size));
			assertThatExceptionOfType(InsufficientMemoryException.class).isThrownBy(() -> model.infer(largeShape));
			Map<String, Tensor> smallShape = Map.of("shape", Tensor.ofLongs(Shape.of(2), 1, 3));
			assertThat(infer(model, smallShape, "zeros").floats()).containsExactly(0, 0, 0);
		}
	}

	@Test
	void saysThatItMayBeTriedAgainWhileAnotherCallMayHoldTheMemory() throws Exception {
		try (OnnxModel model = load(OnnxFiles.slowZeros())) {
			CompletableFuture<Throwable> other = new CompletableFuture<>();
			Thread otherCaller = runUntilTold(other, () -> runZeros(model, 1, Long.MAX_VALUE));
			await().until(() -> Stream.of(otherCaller.getStackTrace())
				.anyMatch((frame) -> frame.isNativeMethod() && frame.getMethodName().equals("run")));
			assertThatExceptionOfType(InsufficientMemoryException.class).isThrownBy(() -> runZeros(model, 1L << 40, 1))
				.matches(InsufficientMemoryException::isTemporary);
			await().pollInterval(Duration.ofMillis(10)).until(() -> cancel(model, otherCaller, other));
			assertThatExceptionOfType(InsufficientMemoryException.class).isThrownBy(() -> runZeros(model, 1L << 40, 1))
				.matches((failure) -> !failure.isTemporary());
		}
	}

	private static void runZeros(OnnxModel slowZeros, long size, long steps) {
		slowZeros.infer(Map.of("shape", Tensor.ofLongs(Shape.of(1), size), "steps", Tensor.ofLongs(Shape.of(), steps)));
	}

	private static Thread runUntilTold(CompletableFuture<Throwable> ended, Runnable run) {
		return Thread.ofPlatform().start(() -> {
			try {
				run.run();
				ended.complete(new AssertionError("it came to an end by itself"));
			}
			catch (RuntimeException ex) {
				ended.complete(ex);
			}
		});
	}

	private static boolean cancel(OnnxModel model, Thread caller, CompletableFuture<Throwable> ended) {
		model.cancel(caller);
		if (ended.isDone()) {
			assertThat(ended.join()).isInstanceOf(IllegalStateException.class).hasMessageContaining("terminate");
		}
		return ended.isDone();
	}

	private static float[] run(OnnxModel slow, long steps) {
		return infer(slow, Map.of("x", Tensor.ofFloats(Shape.of(1), -2), "steps", Tensor.ofLongs(Shape.of(), steps)),
				"y")
			.floats();
	}

	@Test
	void doesNotReuseTheMemoryOfOutputs() throws IOException {
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.INT64, -1))) {
			List<Tensor> questions = new ArrayList<>();
			List<Tensor> answers = new ArrayList<>();
			for (int size : new int[] { 1, 1, 3, 8191, 8192, 8192, 8193, 8193, 20_000, 0, 5, 1 }) {
				int first = answers.size();
				questions.add(Tensor.ofLongs(Shape.of(size), LongStream.range(first, first + size).toArray()));
				answers.add(infer(model, Map.of("x", questions.getLast()), "y"));
			}
			assertThat(answers).extracting(Tensor::contents)
				.isEqualTo(questions.stream().map(Tensor::contents).toList());
		}
	}

	@Test
	void keepsNoStringOfAnEarlierCall() throws IOException {
		try (var model = load(OnnxFiles.splitAtPoint())) {
			var first = infer(model, Map.of("x", Tensor.ofFloats(Shape.of(2), 1.5f, 3.25f)), "y");
			var second = infer(model, Map.of("x", Tensor.ofFloats(Shape.of(2), 7, 6.5f)), "y");
			assertThat(first.strings()).containsExactly("1", "5", "3", "25");
			assertThat(second.strings()).containsExactly("7", "", "6", "5");
		}
	}

	@Test
	void returnsOutputsThatAreInputsOrConstants() throws IOException {
		try (var model = load(OnnxFiles.passThrough())) {
			for (float value : new float[] { 1, 2 }) {
				var outputs = model.infer(Map.of("x", Tensor.ofFloats(Shape.of(1), value)));
				assertThat(tensor(outputs, "x").floats()).containsExactly(value);
				assertThat(tensor(outputs, "y").floats()).containsExactly(value);
				assertThat(tensor(outputs, "three").floats()).containsExactly(3);
			}
		}
	}

	@Test
	void matchesTensorsByNameInAnyOrder() throws IOException {
		var a = Tensor.ofLongs(Shape.of(1), 7);
		var b = Tensor.ofFloats(Shape.of(1, 2, 3), 1, 2, 3, 4, 5, 6);
		SequencedMap<String, Tensor> inputs = new LinkedHashMap<>(Map.of("a", a, "b", b));
		try (var model = load(OnnxFiles.twoInputs())) {
			assertThat(model.signature()).hasToString("Signature[inputs=[a INT64 [-1], b FP32 [-1,2,3]], "
					+ "outputs=[same-a INT64 [-1], same-b FP32 [-1,2,3]]]");
			for (String last : List.of("b", "a", "b")) {
				inputs.putLast(last, tensor(inputs, last));
				var outputs = model.infer(inputs);
				assertThat(outputs).containsOnlyKeys("same-a", "same-b");
				assertThat(tensor(outputs, "same-a").contents()).isEqualTo(a.contents());
				assertThat(tensor(outputs, "same-b").contents()).isEqualTo(b.contents());
			}
		}
	}

	@Test
	void passesStringsUnchanged() throws IOException {
		var texts = List.of("plain", "", "größer", "花", "🌸", "two\nlines");
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.STRING, -1, 2))) {
			assertThat(model.signature().inputs())
				.containsExactly(new TensorSpec("x", DataType.BYTES, Shape.of(Shape.VARIABLE, 2)));
			var y = infer(model, Map.of("x", Tensor.ofStrings(Shape.of(3, 2), texts)), "y");
			assertThat(y).hasToString("BYTES [3,2]");
			assertThat(y.strings()).isEqualTo(texts);
			var many = Collections.nCopies(1000, "one of many");
			assertThat(infer(model, Map.of("x", Tensor.ofStrings(Shape.of(500, 2), many)), "y").strings())
				.isEqualTo(many);
		}
	}

	@Test
	void closesAllTensorsOfASequenceIfOneCannotBeRead() throws OrtException {
		OrtEnvironment environment = OnnxSetup.environment();
		OnnxTensor unreadable = OnnxTensor.createTensor(environment, new float[1]);
		OnnxTensor readable = OnnxTensor.createTensor(environment, new float[1]);
		unreadable.close();
		assertThatIllegalStateException().isThrownBy(() -> OnnxOutputs.copyAndClose(List.of(unreadable, readable)));
		assertThat(readable.isClosed()).isTrue();
	}

	@Test
	void passesBytesThatAreNotUtf8() throws IOException {
		ByteBuffer bytes = ByteBuffer.wrap(new byte[] { 2, 0, 0, 0, (byte) 0xff, (byte) 0xc0, 0, 0, 0, 0 });
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.STRING, -1))) {
			var x = Tensor.of(DataType.BYTES, Shape.of(2), bytes);
			assertThat(infer(model, Map.of("x", x), "y").contents()).isEqualTo(x.contents());
		}
	}

	@Test
	void passesAStringWithANul() throws IOException {
		var texts = List.of("plain", "ab\0c", "\0", "");
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.STRING, -1))) {
			var x = Tensor.ofStrings(Shape.of(4), texts);
			assertThat(infer(model, Map.of("x", x), "y").strings()).isEqualTo(texts);
		}
	}

	@Test
	void keepsTheValueThatAnInputHasInTheFile() throws IOException {
		try (var model = load(OnnxFiles.sumWithDefault())) {
			assertThat(model.signature().inputs()).extracting(TensorSpec::name).containsExactly("a");
			assertThat(infer(model, Map.of("a", Tensor.ofFloats(Shape.of(1), 1)), "sum").floats()).containsExactly(4);
		}
	}

	@Test
	void saysWhichNameCannotBePassed() {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> OnnxCasesTests.open("names_odd"))
			.withMessageContaining("the name of an input or output has a character outside of Unicode's basic plane");
	}

	@ParameterizedTest
	@ValueSource(ints = { 2, 10_000 })
	void acceptsADirectBuffer(int elements) throws IOException {
		var direct = ByteBuffer.allocateDirect(8 * elements).put(bits(DataType.INT64, elements)).flip();
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.INT64, -1))) {
			var x = Tensor.of(DataType.INT64, Shape.of(elements), direct);
			assertThat(infer(model, Map.of("x", x), "y").longs()).isEqualTo(x.longs());
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "BOOL", "FLOAT", "STRING" })
	void runsABatchWithoutRows(TensorProto.DataType declared) throws IOException {
		try (var model = load(OnnxFiles.identity(declared, -1, 2))) {
			var dataType = model.signature().inputs().getFirst().dataType();
			var x = Tensor.of(dataType, Shape.of(0, 2), ByteBuffer.allocate(0));
			assertThat(infer(model, Map.of("x", x), "y")).hasToString("%s [0,2]".formatted(dataType));
		}
	}

	@Test
	void answersABatchWithoutRowsThatWouldEndTheProcess() throws IOException {
		try (var model = load(OnnxFiles.largest())) {
			var x = Tensor.ofFloats(Shape.of(0, 2));
			assertThat(infer(model, Map.of("x", x), "largest")).hasToString("FP32 [0,1]");
		}
	}

	@Test
	void returnsAScalar() throws IOException {
		try (var model = load(OnnxFiles.sumToScalar())) {
			var total = infer(model, Map.of("x", Tensor.ofFloats(Shape.of(3), 1, 2, 3)), "total");
			assertThat(total.shape()).isEqualTo(Shape.of());
			assertThat(total.floats()).containsExactly(6);
		}
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.STRING))) {
			var text = infer(model, Map.of("x", Tensor.ofStrings(Shape.of(), List.of("one"))), "y");
			assertThat(text.shape()).isEqualTo(Shape.of());
			assertThat(text.strings()).containsExactly("one");
		}
	}

	@Test
	void acceptsAnySizeOfAVariableInnerDimension() throws IOException {
		try (var model = load(OnnxFiles.identity(TensorProto.DataType.FLOAT, -1, 2, -1))) {
			assertThat(model.signature().inputs().getFirst().shape()).isEqualTo(Shape.of(-1, 2, -1));
			assertThat(infer(model, Map.of("x", Tensor.ofFloats(Shape.of(1, 2, 1), 1, 2)), "y"))
				.hasToString("FP32 [1,2,1]");
			assertThat(infer(model, Map.of("x", Tensor.ofFloats(Shape.of(1, 2, 2), 1, 2, 3, 4)), "y"))
				.hasToString("FP32 [1,2,2]");
		}
	}

	@ParameterizedTest
	@EnumSource(names = { "UINT16", "UINT32", "UINT64" })
	void refusesInputTypesThatTheJavaApiDoesNotSupport(TensorProto.DataType declared) {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> load(OnnxFiles.identity(declared, -1)))
			.withMessage(
					"The model at %s cannot be served. Export it again: input 'x' is %s, which ONNX Runtime's "
							+ "Java API cannot carry; declare another type and cast it inside the model.",
					file(), declared);
	}

	@Test
	void namesElementTypesThatTheJavaApiDoesNotKnow() {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> load(OnnxFiles.int4()))
			.withMessageContaining("output 'y' has the unsupported element type INT4, UINT4 or another");
	}

	@ParameterizedTest
	@EnumSource(names = { "UINT16", "UINT32", "UINT64" })
	void returnsOutputTypesThatInputsCannotHave(TensorProto.DataType declared) throws IOException {
		try (var model = load(OnnxFiles.model(GraphProto.newBuilder()
			.setName("cast")
			.addInput(OnnxFiles.tensor("x", TensorProto.DataType.INT64, -1))
			.addNode(OnnxFiles.node("Cast", List.of("x"), "y", OnnxFiles.attribute("to", declared.getNumber())))
			.addOutput(OnnxFiles.tensor("y", declared, -1))))) {
			var y = infer(model, Map.of("x", Tensor.ofLongs(Shape.of(2), 1, 0xFFFF)), "y");
			assertThat(y).hasToString("%s [2]".formatted(declared));
			assertThat(y.contents().getShort(0)).isEqualTo((short) 1);
			assertThat(y.contents().getShort(y.dataType().width())).isEqualTo((short) 0xFFFF);
		}
	}

	@Test
	void stacksASequenceOfTensors() throws IOException {
		try (var model = load(OnnxFiles.sequence())) {
			assertThat(model.signature().outputs())
				.containsExactly(new TensorSpec("y", DataType.FP32, Shape.of(-1, 1)));
			assertThat(infer(model, Map.of("x", Tensor.ofFloats(Shape.of(3), 1, 2, 3)), "y")).hasToString("FP32 [3,1]");
		}
	}

	@Test
	void saysWhereItFoundNoModel() {
		Path absent = this.directory.resolve("absent.onnx");
		assertNotFound(absent.toString(), "There is no model at %s.".formatted(absent));
		assertNotFound(this.directory.toString(), "There is no model at %s.".formatted(file()));
		assertNotFound("classpath:absent.onnx", "There is no model at classpath:absent.onnx.");
	}

	// Spring Boot's devtools load the application, but no library, in a class loader of
	// their own.
	@Test
	void usesPrivateMembersOfALibraryFromAnotherClassLoader() {
		ClassLoader applicationLoader = new OverridingClassLoader(getClass().getClassLoader()) {
			@Override
			protected boolean isEligibleForOverriding(String className) {
				return className.startsWith("inference.");
			}
		};
		assertThatNoException().isThrownBy(() -> Class.forName("inference.model.OnnxNative", true, applicationLoader));
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://host/iris.onnx", "models\0" })
	void saysThatALocationIsNoPath(String location) {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> OnnxFiles.open(location))
			.withMessage("The model location '%s' is neither a path nor the URL of a file."
					+ " Set INFERENCE_MODEL_LOCATION to the path of an ONNX file.", location);
	}

	@Test
	void saysThatADirectoryIsNoFile() throws IOException {
		Files.createDirectory(file());
		assertThatExceptionOfType(UnusableModelException.class)
			.isThrownBy(() -> OnnxFiles.open(this.directory.toString()))
			.withMessage(
					"The model at %s cannot be read. Make it a file that user %s may read, in a directory that this user may enter.",
					file(), System.getProperty("user.name"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "not a model\nat all", "version https://git-lfs.github.com/spec/v1\n", "" })
	void saysWhichFileIsCorruptInOneLine(String content) {
		assertThatExceptionOfType(UnusableModelException.class)
			.isThrownBy(() -> load(content.getBytes(StandardCharsets.UTF_8)))
			.withMessageMatching(
					"The model at \\Q%s\\E cannot be loaded: [^/]+\\. Copy it again, whole: .+ or a Git LFS pointer\\."
						.formatted(file()));
	}

	@Test
	void servesAModelThatReturnsOtherShapesThanItDeclares() throws IOException {
		try (OnnxModel model = load(OnnxFiles.misdeclared())) {
			for (int i = 0; i < 2; i++) {
				Tensor twice = infer(model, Map.of("x", Tensor.ofFloats(Shape.of(2), 1, 2)), "y");
				assertThat(twice.floats()).containsExactly(1, 2, 1, 2);
			}
			assertThatIllegalArgumentException()
				.isThrownBy(() -> model.infer(Map.of("x", Tensor.ofFloats(Shape.of(0)))))
				.withMessageContaining("has no rows");
		}
	}

	@Test
	void saysWhichOperatorTheRuntimeLacks() {
		assertUnloadable(OnnxFiles.sum("FlashAdd", 15, 8), "No Op registered for FlashAdd with domain_version of 15",
				"with standard operators of a version it knows.");
	}

	@Test
	void saysWhichOperatorSetTheRuntimeKnows() {
		assertUnloadable(OnnxFiles.sum("Add", 99, 8), "Current official support for domain ai.onnx is till opset",
				"Export it again with operator set 26, or convert it with onnx.version_converter.");
	}

	@Test
	void saysWhichFormatTheRuntimeKnows() {
		assertUnloadable(OnnxFiles.sum("Add", 15, 99), "Unsupported model IR version: 99, max supported",
				"Export it again with ir_version=13, or set that in the file with onnx.load and onnx.save.");
	}

	@Test
	void saysWhichWeightsAreMissing() {
		assertUnloadable(OnnxFiles.sumWithExternalWeights("weights.bin"),
				this.directory.resolve("weights.bin").toString(),
				"Put the files with its weights beside it and mount both; inside the jar a model must be one file.");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			customop_extensions | Set inference.model.custom-operators to the library that has this operator
			optional_in         | one of the inputs [o] has an optional or a sparse type
			""")
	void saysHowToCorrectAnExportedFile(String name, String action) {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> OnnxCasesTests.open(name))
			.satisfies((failure) -> assertThat(failure.action()).contains(action));
	}

	@Test
	void saysWhichWeightsAreCutShort() throws IOException {
		Files.write(this.directory.resolve("weights.bin"), new byte[3]);
		assertUnloadable(OnnxFiles.sumWithExternalWeights("weights.bin"), "out of bounds",
				"Copy the files with its weights again, whole.");
	}

	@Test
	void saysThatALinkLeadsToWeightsInAnotherDirectory(@TempDir Path otherDirectory) throws IOException {
		Path weights = Files.write(otherDirectory.resolve("weights.bin"), new byte[4 * Float.BYTES]);
		Files.createSymbolicLink(this.directory.resolve("weights.bin"), weights);
		assertUnloadable(OnnxFiles.sumWithExternalWeights("weights.bin"), "escapes model directory",
				"Keep the model and the files with its weights in one directory. If they are links, all must lead to one directory.");
	}

	@Test
	void saysThatADirectoryIsInThePlaceOfWeights() throws IOException {
		Files.createDirectory(this.directory.resolve("weights.bin"));
		assertUnloadable(OnnxFiles.sumWithExternalWeights("weights.bin"), "Is a directory",
				"Put the files with its weights beside it and mount both; inside the jar a model must be one file.");
	}

	@Test
	void runsATokenizerOfAnotherLibrary() throws IOException {
		String file = System.mapLibraryName("onnxruntime_extensions4j_jni");
		Path library = this.directory.resolve(file);
		try (var content = new ClassPathResource("ai/onnxruntime/extensions/native/linux-x64/" + file)
			.getInputStream()) {
			Files.copy(content, library);
		}
		var properties = new ModelProperties("test", "1", "classpath:models/cases/tokenizer.onnx", 1, "cpu", List.of(),
				List.of(library.toString()));
		try (var model = new OnnxModel(properties)) {
			var outputs = model.infer(Map.of("text", Tensor.ofStrings(Shape.of(1), List.of("A good, badly"))));
			assertThat(tensor(outputs, "ids").longs()).containsExactly(2, 8, 5, 1, 6, 7, 3);
			assertThat(tensor(outputs, "y").floats()).containsExactly(0.5f);
		}
	}

	@Test
	void saysWhichLibraryOfOperatorsCannotBeUsed() {
		var properties = new ModelProperties("test", "1", "classpath:model.onnx", 1, "cpu", List.of(),
				List.of("/absent.so"));
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> new OnnxModel(properties))
			.withMessageStartingWith("The library /absent.so cannot be used: ");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			/tmp/x/libonnxruntime.so: failed to map segment from shared object | without noexec
			no onnxruntime in java.library.path: /usr/lib                       | Give it 40 MB in
			libstdc++.so.6: cannot open shared object file                      | on another base
			""")
	void saysWhatTheRuntimeNeedsInOrderToLink(String failure, String action) {
		assertThat(OnnxSetup.linkRemedy(failure)).contains(action);
	}

	@Test
	void findsItsFileInADirectoryAndByUrl() throws IOException {
		Path directory = Files.createDirectory(this.directory.resolve("my models"));
		Path file = Files.write(directory.resolve("model.onnx"), OnnxFiles.sum());
		for (String location : List.of(directory.toString(), directory.toUri().toString(), file.toUri().toString(),
				"file:" + file)) {
			try (var model = OnnxFiles.open(location)) {
				assertThat(model.signature().inputs()).extracting(TensorSpec::name).containsExactly("a", "b");
			}
		}
	}

	@Test
	void reportsAnUnusableValueAsInvalidInput() throws IOException {
		try (var model = load(OnnxFiles.model(GraphProto.newBuilder()
			.setName("gather")
			.addInput(OnnxFiles.tensor("x", TensorProto.DataType.INT64, -1))
			.addInitializer(TensorProto.newBuilder()
				.setName("words")
				.addDims(1)
				.setDataType(TensorProto.DataType.FLOAT.getNumber())
				.addFloatData(7))
			.addNode(OnnxFiles.node("Gather", List.of("words", "x"), "y"))
			.addOutput(OnnxFiles.tensor("y", TensorProto.DataType.FLOAT, -1))))) {
			assertThat(infer(model, Map.of("x", Tensor.ofLongs(Shape.of(1), 0)), "y").floats()).containsExactly(7);
			assertThatIllegalArgumentException()
				.isThrownBy(() -> model.infer(Map.of("x", Tensor.ofLongs(Shape.of(1), 5))))
				.withMessageContaining("idx=5 must be within the inclusive range [-1,0]")
				.withMessageNotContaining("\n");
		}
	}

	@Test
	void reportsOtherExceptionsAsModelFailures() throws IOException {
		try (var model = load(OnnxFiles.sum())) {
			var two = Tensor.ofFloats(Shape.of(2), 1, 2);
			var three = Tensor.ofFloats(Shape.of(3), 1, 2, 3);
			assertThatIllegalStateException().isThrownBy(() -> model.infer(Map.of("a", two, "b", three)))
				.withMessageContaining("2 by 3")
				.withMessageNotContaining("\n")
				.satisfies((failure) -> assertThat(failure.getStackTrace()).isEmpty());
			assertThat(infer(model, Map.of("a", two, "b", two), "sum").floats()).containsExactly(2, 4);
		}
	}

	@Test
	void hasThePlatformOfOnnxRuntime() throws IOException {
		try (var model = load(OnnxFiles.sum())) {
			assertThat(model.platform()).isEqualTo("onnxruntime_onnx");
		}
	}

	private Path file() {
		return this.directory.resolve("model.onnx");
	}

	private static void assertNotFound(String location, String problem) {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> OnnxFiles.open(location))
			.withMessage("%s Copy or mount an ONNX file there, or set INFERENCE_MODEL_LOCATION to where it is.",
					problem);
	}

	private void assertUnloadable(byte[] content, String problem, String action) {
		assertThatExceptionOfType(UnusableModelException.class).isThrownBy(() -> load(content))
			.satisfies((failure) -> assertThat(failure.description())
				.startsWith("The model at %s cannot be loaded: ".formatted(file()))
				.contains(problem)
				.doesNotContain("Error code", "onnxruntime_src", "::", "\n"))
			.satisfies((failure) -> assertThat(failure.action()).endsWith(action));
	}

	private OnnxModel load(byte[] content) throws IOException {
		return OnnxFiles.load(content, this.directory);
	}

	private static Tensor infer(Model model, Map<String, Tensor> inputs, String output) {
		return tensor(model.infer(inputs), output);
	}

	private static Tensor tensor(Map<String, Tensor> tensors, String name) {
		return Objects.requireNonNull(tensors.get(name), name);
	}

	// Every bit pattern is a value, NaNs included, except for BOOL, which is 0 or 1.
	private static ByteBuffer bits(DataType dataType, int elements) {
		byte[] bytes = new byte[elements * dataType.width()];
		for (int i = 0; i < bytes.length; i++) {
			bytes[i] = (byte) ((dataType == DataType.BOOL) ? i % 2 : 0xF0 + i);
		}
		return ByteBuffer.wrap(bytes);
	}

}
