package inference.admission;

import java.util.List;
import java.util.Map;
import java.util.Objects;

import org.junit.jupiter.api.Test;

import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

class BatchTests {

	@Test
	void joinsTheRowsOfCallsInTheirOrderAndSplitsThemAgain() {
		var one = Map.of("x", floats(1, 2, 1, 2));
		var two = Map.of("x", floats(2, 2, 3, 4, 5, 6));
		var joined = Batch.join(List.of(one, two));
		assertThat(tensor(joined, "x").shape()).isEqualTo(Shape.of(3, 2));
		assertThat(tensor(joined, "x").floats()).containsExactly(1, 2, 3, 4, 5, 6);
		var parts = Batch.split(joined, List.of(1L, 2L));
		assertThat(tensor(parts.get(0), "x").floats()).containsExactly(1, 2);
		assertThat(tensor(parts.get(1), "x").shape()).isEqualTo(Shape.of(2, 2));
		assertThat(tensor(parts.get(1), "x").floats()).containsExactly(3, 4, 5, 6);
	}

	@Test
	void splitsTextsWhereEachEnds() {
		var one = Map.of("text", Tensor.ofStrings(Shape.of(2), List.of("", "versicolor")));
		var two = Map.of("text", Tensor.ofStrings(Shape.of(1), List.of("ü")));
		var parts = Batch.split(Batch.join(List.of(one, two)), List.of(2L, 1L));
		assertThat(tensor(parts.get(0), "text").strings()).containsExactly("", "versicolor");
		assertThat(tensor(parts.get(1), "text").strings()).containsExactly("ü");
	}

	@Test
	void givesEachCallAllOfItsTensors() {
		var one = Map.of("a", floats(1, 1, 1), "b", Tensor.ofLongs(Shape.of(1), 10));
		var two = Map.of("a", floats(1, 1, 2), "b", Tensor.ofLongs(Shape.of(1), 20));
		var parts = Batch.split(Batch.join(List.of(one, two)), List.of(1L, 1L));
		assertThat(parts.get(1)).containsOnlyKeys("a", "b");
		assertThat(tensor(parts.get(1), "a").floats()).containsExactly(2);
		assertThat(tensor(parts.get(1), "b").longs()).containsExactly(20);
	}

	@Test
	void callsOfDifferentRowShapesDoNotFit() {
		assertThat(Batch.canJoin(Map.of("x", floats(1, 2, 0, 0)), Map.of("x", floats(2, 2, 0, 0, 0, 0)))).isTrue();
		assertThat(Batch.canJoin(Map.of("x", floats(1, 2, 0, 0)), Map.of("x", floats(1, 1, 0)))).isFalse();
		assertThat(Batch.canJoin(Map.of("x", floats(1, 1, 0)), Map.of("x", Tensor.ofFloats(Shape.of(1), 0)))).isFalse();
		assertThat(
				Batch.canJoin(Map.of("x", Tensor.ofFloats(Shape.of(), 0)), Map.of("x", Tensor.ofFloats(Shape.of(), 0))))
			.isFalse();
	}

	@Test
	void aCallWhoseInputsDoNotAgreeOnTheirRowsFitsNoOther() {
		var uneven = Map.of("a", floats(1, 1, 0), "b", floats(2, 1, 0, 0));
		var even = Map.of("a", floats(1, 1, 0), "b", floats(1, 1, 0));
		assertThat(Batch.canJoin(uneven, even)).isFalse();
		assertThat(Batch.canJoin(even, uneven)).isFalse();
		assertThat(Batch.canJoin(even, even)).isTrue();
	}

	@Test
	void anOutputThatHasNotOneRowForEachOfTheInputsCannotBeSplit() {
		assertThatIllegalStateException()
			.isThrownBy(() -> Batch.split(Map.of("mean", floats(1, 1, 0)), List.of(1L, 1L)))
			.withMessage("output 'mean' is FP32 [1,1], not 2 rows");
	}

	private static Tensor floats(int rows, int columns, float... values) {
		return Tensor.ofFloats(Shape.of(rows, columns), values);
	}

	private static Tensor tensor(Map<String, Tensor> tensors, String name) {
		return Objects.requireNonNull(tensors.get(name));
	}

}
