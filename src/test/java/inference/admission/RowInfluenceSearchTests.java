package inference.admission;

import java.io.IOException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.model.BundledModel;
import inference.model.DataType;
import inference.model.DeviceLostException;
import inference.model.Example;
import inference.model.FakeModel;
import inference.model.ModelMetadata;
import inference.model.OnnxFiles;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class RowInfluenceSearchTests {

	private static final int MAX_SIZE = 8;

	@ParameterizedTest
	@ValueSource(strings = { "dynamic-quantization", "cumulative-sum", "sort", "gru-time-major", "if-maximum" })
	void findsRowsThatInfluenceEachOther(String model) {
		var result = searchFile("classpath:models/rows/%s.onnx".formatted(model));
		assertThat(result.maxSize()).isOne();
		assertThat(result.reason())
			.matches("in a batch of 8 rows, output 'y' of a row is (\\S+) instead of (?!\\1 )\\S+ at element \\d+");
	}

	@Test
	void findsRowsThatArePaddedToTheLongest() {
		var result = searchFile("classpath:models/rows/string-split.onnx");
		assertThat(result.maxSize()).isOne();
		assertThat(result.reason())
			.isEqualTo("in a batch of 8 rows, output 'y' of a row is BYTES [1,9] instead of BYTES [1,1]");
	}

	@Test
	void findsTextsThatInfluenceEachOtherByTheirCommas() {
		Signature signature = new Signature(List.of(new TensorSpec("x", DataType.BYTES, Shape.of(-1))),
				List.of(new TensorSpec("y", DataType.INT64, Shape.of(-1))));
		var result = new RowInfluenceSearch(metadata(signature, List.of()), MAX_SIZE, (inputs) -> {
			List<String> texts = Objects.requireNonNull(inputs.get("x")).strings();
			long[] mostParts = new long[texts.size()];
			Arrays.fill(mostParts, texts.stream().mapToInt((text) -> text.split(",").length).max().orElseThrow());
			return Map.of("y", Tensor.ofLongs(Shape.of(texts.size()), mostParts));
		}).decide();
		assertThat(result.maxSize()).isOne();
	}

	@ParameterizedTest
	@ValueSource(strings = { "mlp", "softmax", "embedding", "label-encoder", "several-inputs", "image" })
	void findsNothingWhereRowsAreIndependent(String model) {
		var result = searchFile("classpath:models/rows/%s.onnx".formatted(model));
		assertThat(result.maxSize()).as(result.reason()).isEqualTo(MAX_SIZE);
		assertThat(result.reason()).matches("no influence between rows found, batches compared: \\d+(; .*)?");
	}

	@Test
	void findsNothingInTheBundledModel() throws IOException {
		BundledModel.assumeBundled();
		assertThat(searchFile("classpath:model.onnx").maxSize()).isEqualTo(MAX_SIZE);
	}

	@Test
	void findsModelsThatFailOnSeveralRows() {
		var result = search(List.of(), (inputs) -> {
			if (x(inputs).length > 1) {
				throw new IllegalStateException("Reshape");
			}
			return FakeModel.echo(inputs);
		});
		assertThat(result).isEqualTo(new Batching.Decision(1, "the model fails on a batch of 8 rows: Reshape"));
	}

	@Test
	void allowsRoundingErrorsAndTakesNanForEqual() {
		var result = search(List.of(), (inputs) -> {
			float[] values = x(inputs);
			for (int i = 0; i < values.length; i++) {
				values[i] = (values[i] < 0) ? Float.NaN : values[i] * (1 + values.length * 1e-6f);
			}
			return Map.of("y", Tensor.ofFloats(Shape.of(values.length), values));
		});
		assertThat(result.maxSize()).as(result.reason()).isEqualTo(MAX_SIZE);
	}

	@Test
	void comparesExamplesWhereTheModelRefusesGeneratedRows() {
		UnaryOperator<Map<String, Tensor>> sorted = (inputs) -> {
			float[] values = x(inputs);
			for (float value : values) {
				if (value < 1000) {
					throw new IllegalArgumentException("%s is too small".formatted(value));
				}
			}
			Arrays.sort(values);
			return Map.of("y", Tensor.ofFloats(Shape.of(values.length), values));
		};
		var result = search(List.of(FakeModel.question(3000, 2000), FakeModel.question(1000)), sorted);
		assertThat(result).isEqualTo(new Batching.Decision(1,
				"in a batch of 3 rows, output 'y' of a row is 1000.0 instead of 3000.0 at element 0"));
	}

	@Test
	void refusesBatchesIfItCouldCompareNone() {
		var result = search(List.of(), (_) -> {
			throw new IllegalArgumentException("unusable");
		});
		assertThat(result).isEqualTo(new Batching.Decision(1,
				"no batch could be compared, because the model refused the generated input (unusable); add two rows of the same shape to its examples"));
	}

	@Test
	void saysWhatItCouldNotCompare() {
		assertThat(search(List.of(), (inputs) -> {
			for (float value : x(inputs)) {
				if (value != 0 && value != 1) {
					throw new IllegalArgumentException("unusable");
				}
			}
			return FakeModel.echo(inputs);
		}).reason()).matches(
				"no influence between rows found, batches compared: \\d+; the model refused some generated input: unusable");
	}

	@Test
	void comparesOneBatchOfASlowModel() {
		Set<Integer> sizes = new HashSet<>();
		int[] runs = { 0 };
		var result = search(List.of(), (inputs) -> {
			// One row takes more than half of the second that the search has.
			LockSupport.parkNanos((runs[0] == 0) ? 600_000_000 : 250_000_000);
			sizes.add(x(inputs).length);
			runs[0]++;
			return FakeModel.echo(inputs);
		});
		assertThat(result.reason()).isEqualTo("no influence between rows found, batches compared: 1");
		assertThat(sizes).containsExactlyInAnyOrder(1, 2);
		assertThat(runs[0]).isEqualTo(3);
	}

	@Test
	void neverMakesALargerBatchThanConfigured() {
		new RowInfluenceSearch(ModelMetadata.of(new FakeModel()), 2, (inputs) -> {
			assertThat(x(inputs)).hasSizeLessThanOrEqualTo(2);
			return FakeModel.echo(inputs);
		}).decide();
	}

	@Test
	void generatesNoRowThatIsTooLarge() {
		var metadata = ModelMetadata.of(new FakeModel(Shape.of(Shape.VARIABLE, 1_000_000_000)));
		assertThat(new RowInfluenceSearch(metadata, MAX_SIZE, FakeModel::echo).decide().reason()).endsWith(
				"the generated input (shape [1,1000000000] is too large to generate); add two rows of the same shape to its examples");
	}

	@Test
	void endsWhenTheDeviceIsLost() {
		assertThatExceptionOfType(DeviceLostException.class).isThrownBy(() -> search(List.of(), (_) -> {
			throw new DeviceLostException("lost", new IllegalStateException());
		}));
	}

	private static Batching.Decision searchFile(String location) {
		try (var model = OnnxFiles.open(location)) {
			return new RowInfluenceSearch(metadata(model.signature(), List.of()), MAX_SIZE, model::infer).decide();
		}
	}

	private static Batching.Decision search(List<Map<String, Tensor>> examples,
			UnaryOperator<Map<String, Tensor>> model) {
		return new RowInfluenceSearch(metadata(new FakeModel().signature(), examples), MAX_SIZE, model).decide();
	}

	private static ModelMetadata metadata(Signature signature, List<Map<String, Tensor>> examples) {
		return new ModelMetadata(signature, "platform",
				examples.stream().map((inputs) -> new Example(inputs, Map.of(), 0)).toList());
	}

	private static float[] x(Map<String, Tensor> inputs) {
		return Objects.requireNonNull(inputs.get("x")).floats();
	}

}
