package inference.admission;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import inference.admission.Rejection.Kind;

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
			assertThatExceptionOfType(Rejection.class).isThrownBy(() -> request.add(26 * MB))
				.satisfies(Admissions.isOf(Kind.TOO_LARGE))
				.withMessageContaining("more than the 75 MB of memory that a request can have");
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	@Test
	void refusesForNowBytesThatOtherRequestsHold() {
		try (Reservation first = reservation(); Reservation second = reservation()) {
			first.add(60 * MB);
			assertThatExceptionOfType(Rejection.class).isThrownBy(() -> second.add(20 * MB))
				.satisfies(Admissions.isOf(Kind.OVERLOADED))
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
			assertThatExceptionOfType(Rejection.class).isThrownBy(() -> second.add(MB))
				.satisfies(Admissions.isOf(Kind.OVERLOADED));
			small.add(100_000);
		}
		assertThat(this.budget.reservedBytes()).isZero();
	}

	private Reservation reservation() {
		return new Reservation(this.budget, Deadline.in(Duration.ofSeconds(1)));
	}

}
