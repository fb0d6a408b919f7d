package inference.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatNoException;

class SignatureTests {

	private static final TensorSpec X = new TensorSpec("x", DataType.FP32, Shape.of(-1, 2));

	private static final TensorSpec SCORE = new TensorSpec("score", DataType.FP32, Shape.of(-1));

	private static final TensorSpec LABEL = new TensorSpec("label", DataType.BYTES, Shape.of(-1));

	private final Signature signature = new Signature(List.of(X), List.of(SCORE, LABEL));

	private final Tensor score = Tensor.ofFloats(Shape.of(1), 0.5f);

	private final Tensor label = Tensor.ofStrings(Shape.of(1), List.of("yes"));

	@Test
	void refusesAnOutputWithoutAColumnForEachKey() {
		var spec = new TensorSpec("p", DataType.FP32, Shape.of(-1, -1), List.of("a", "b"));
		assertThat(spec.accepts(Tensor.ofFloats(Shape.of(1, 2), 1, 2))).isTrue();
		assertThat(spec.accepts(Tensor.ofFloats(Shape.of(1, 3), 1, 2, 3))).isFalse();
	}

	@Test
	void refusesAnotherNumberOfKeysThanColumns() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> new TensorSpec("p", DataType.FP32, Shape.of(-1, 3), List.of("a", "b")))
			.withMessage("output 'p' has 2 keys for 3 columns");
	}

	@Test
	void anInputAndAnOutputMayHaveTheSameName() {
		assertThatNoException().isThrownBy(() -> new Signature(List.of(X), List.of(X)));
	}

	@Test
	void refusesTheSameNameTwice() {
		assertThatIllegalArgumentException().isThrownBy(() -> new Signature(List.of(X, X), List.of(SCORE)))
			.withMessage("two inputs of the signature have the name 'x'");
		assertThatIllegalArgumentException().isThrownBy(() -> new Signature(List.of(X), List.of(LABEL, LABEL)))
			.withMessage("two outputs of the signature have the name 'label'");
	}

	@Test
	void refusesASignatureWithoutOutputs() {
		assertThatIllegalArgumentException().isThrownBy(() -> new Signature(List.of(X), List.of()))
			.withMessage("a signature needs outputs");
	}

	@Test
	void findsTheOutputThatIsMissing() {
		assertThatExceptionOfType(InvalidOutputException.class)
			.isThrownBy(() -> this.signature.requireOutputs(Map.of("score", this.score)))
			.withMessage("the model did not return output 'label'");
	}

	@Test
	void findsTheOutputOfAnotherTypeOrShape() {
		var matrix = Tensor.ofFloats(Shape.of(1, 2), 1, 2);
		assertThatExceptionOfType(InvalidOutputException.class)
			.isThrownBy(() -> this.signature.requireOutputs(Map.of("score", this.label, "label", this.label)))
			.withMessage("the model declares output score FP32 [-1], but returned BYTES [1]");
		assertThatExceptionOfType(InvalidOutputException.class)
			.isThrownBy(() -> this.signature.requireOutputs(Map.of("score", matrix, "label", this.label)))
			.withMessage("the model declares output score FP32 [-1], but returned FP32 [1,2]");
	}

	@Test
	void findsAnOutputThatIsNotDeclared() {
		var outputs = Map.of("score", this.score, "label", this.label, "secret", this.score);
		assertThatExceptionOfType(InvalidOutputException.class).isThrownBy(() -> this.signature.requireOutputs(outputs))
			.withMessage("the model returned 3 outputs, but declares 2");
	}

	@Test
	void isBatchedOnlyIfEveryTensorHasRows() {
		var rows = new TensorSpec("rows", DataType.FP32, Shape.of(Shape.VARIABLE, 2));
		var fixed = new TensorSpec("fixed", DataType.FP32, Shape.of(1, 2));
		assertThat(new Signature(List.of(rows), List.of(rows)).isBatchable()).isTrue();
		assertThat(new Signature(List.of(rows, fixed), List.of(rows)).isBatchable()).isFalse();
		assertThat(new Signature(List.of(rows), List.of(fixed)).isBatchable()).isFalse();
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			# inputs of the model | output | inputs of the request | result
			[-1,2]                | [-1,3] | [1,2]                 | runs
			[-1,2]                | [-1,3] | [0,2]                 | [0,3]
			[-1,-1]               | [-1]   | [2,0]                 | is refused
			[-1,2]                | []     | [0,2]                 | is refused
			[-1,2]                | any    | [0,2]                 | is refused
			[-1,0]                | [-1]   | [3,0]                 | runs
			[-1,0]                | [-1]   | [0,0]                 | [0]
			any                   | [-1]   | []                    | runs
			[-1,2] []             | [-1,2] | [0,2] []              | [0,2]
			[-1,2] [-1]           | [-1]   | [0,2] [1]             | is refused
			[-1,2] [-1]           | any    | [0,2] [1]             | is refused
			[-1,1] [-1,2,-1,4]    | [-1]   | [1,1] [1,2,0,4]       | runs
			[1,4] [-1,4]          | any    | [1,4] [0,4]           | is refused
			[1,-1,4] [1,8]        | [1,8]  | [1,0,4] [1,8]         | runs
			[1,-1,4]              | [1,8]  | [1,0,4]               | is refused
			""")
	void knowsTheOutputsOfARequestWithoutRows(String declared, String output, String given, String result) {
		List<TensorSpec> inputs = new ArrayList<>();
		Map<String, Tensor> tensors = new HashMap<>();
		String[] givenShapes = given.split(" ", -1);
		for (String text : declared.split(" ", -1)) {
			Shape shape = shape(givenShapes[inputs.size()]);
			String name = "in-" + inputs.size();
			inputs.add(new TensorSpec(name, DataType.FP32, shape(text)));
			tensors.put(name, Tensor.ofFloats(shape, new float[(int) shape.elementCount()]));
		}
		var model = new Signature(inputs, List.of(new TensorSpec("y", DataType.FP32, shape(output))));
		if (result.equals("is refused")) {
			assertThatIllegalArgumentException().isThrownBy(() -> model.emptyOutputsIfNoRows(tensors))
				.withMessage("an input has no rows, or its rows have no elements: send a row with elements");
		}
		else if (result.equals("runs")) {
			assertThat(model.emptyOutputsIfNoRows(tensors)).isNull();
		}
		else {
			assertThat(model.emptyOutputsIfNoRows(tensors)).hasToString("{y=FP32 %s}".formatted(result));
		}
	}

	private static Shape shape(String text) {
		return text.equals("any") ? Shape.UNKNOWN_RANK
				: Shape.of(Pattern.compile("-?[0-9]+")
					.matcher(text)
					.results()
					.mapToLong((number) -> Long.parseLong(number.group()))
					.toArray());
	}

}
