package inference.admission;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;

import org.junit.jupiter.api.Test;

import inference.admission.Rejection.Kind;
import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static inference.admission.Admissions.assertRejected;
import static org.assertj.core.api.Assertions.assertThat;

class MemoryBudgetTests {

	private static final long MB = 1 << 20;

	private final MemoryBudget budget = new MemoryBudget(100 * MB);

	@Test
	void releasesTheBytesOfAReservation() {
		try (Reservation request = reservation()) {
			request.add(10 * MB);
			request.add(-4 * MB);
			assertThat(this.budget.reservedBytes()).isBetween(6 * MB, 7 * MB);
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	@Test
	void refusesForeverMoreBytesThanTheBudget() {
		try (Reservation request = reservation()) {
			request.add(50 * MB);
			assertRejected(Kind.TOO_LARGE, () -> request.add(26 * MB))
				.withMessageContaining("more than the 75 MB of memory that a request can have");
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	@Test
	void refusesForNowBytesThatOtherRequestsHold() {
		try (Reservation first = reservation(); Reservation second = reservation()) {
			first.add(60 * MB);
			assertRejected(Kind.OVERLOADED, () -> second.add(20 * MB))
				.satisfies((rejection) -> assertThat(rejection.retryAfter()).isPositive());
			first.add(-30 * MB);
			second.add(20 * MB);
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	@Test
	void keepsAQuarterForSmallRequests() {
		try (Reservation large = reservation(); Reservation second = reservation(); Reservation small = reservation()) {
			large.add(74 * MB);
			assertRejected(Kind.OVERLOADED, () -> second.add(MB));
			small.add(100_000);
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	@Test
	void countsTheNativeMemoryOfInputTexts() {
		Signature signature = new Signature(List.of(new TensorSpec("text", DataType.BYTES, Shape.of(-1))),
				List.of(new TensorSpec("count", DataType.INT64, Shape.of(1))));
		try (Reservation request = reservation()) {
			request.addExpectedCallMemory(signature, texts(100_000, ""));
			assertThat(this.budget.reservedBytes()).isBetween(27 * MB, 29 * MB);
			assertRejected(Kind.TOO_LARGE, () -> request.addExpectedCallMemory(signature, texts(200_000, "")));
			assertRejected(Kind.TOO_LARGE,
					() -> request.addExpectedCallMemory(signature, texts(1, "a".repeat(1_000_000))));
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	@Test
	void countsTheNativeMemoryOfOutputMaps() {
		Signature signature = new Signature(List.of(new TensorSpec("x", DataType.INT64, Shape.of(-1))),
				List.of(new TensorSpec("maps", DataType.FP32, Shape.of(-1, 2), List.of("no", "yes"))));
		try (Reservation request = reservation()) {
			request.addExpectedCallMemory(signature, Map.of("x", Tensor.ofLongs(Shape.of(200_000), new long[200_000])));
			assertThat(this.budget.reservedBytes()).isBetween(38 * MB, 40 * MB);
		}
	}

	@Test
	void refusesOutputsWhoseSizeExceedsALong() {
		Signature signature = new Signature(List.of(new TensorSpec("x", DataType.INT64, Shape.of(-1, -1))),
				List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1, 2))));
		Tensor manyEmptyRows = Tensor.ofLongs(Shape.of(1L << 62, 0));
		try (Reservation request = reservation()) {
			assertRejected(Kind.TOO_LARGE, () -> request.addExpectedCallMemory(signature, Map.of("x", manyEmptyRows)));
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	private static Map<String, Tensor> texts(int count, String text) {
		return Map.of("text", Tensor.ofStrings(Shape.of(count), Collections.nCopies(count, text)));
	}

	private Reservation reservation() {
		return new Reservation(this.budget, Deadline.in(Duration.ofSeconds(1)));
	}

}
