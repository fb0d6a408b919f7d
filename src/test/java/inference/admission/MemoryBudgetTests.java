package inference.admission;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import inference.admission.Rejection.Kind;

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

	private Reservation reservation() {
		return new Reservation(this.budget, Deadline.in(Duration.ofSeconds(1)));
	}

}
