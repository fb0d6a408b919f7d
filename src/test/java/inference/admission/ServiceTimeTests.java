package inference.admission;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ServiceTimeTests {

	private final ServiceTime serviceTime = new ServiceTime(1);

	@Test
	void equalsTheTimeOfTheFirstCall() {
		assertThat(this.serviceTime.averageNanosPerCall()).isZero();
		record(1, Duration.ofMillis(10));
		assertThat(this.serviceTime.averageNanosPerCall()).isEqualTo(10_000_000);
	}

	@Test
	void averagesOverTheCallsOfBatchesOfDifferentSizes() {
		for (int i = 0; i < 20; i++) {
			this.serviceTime.record(5_000_000, 1);
			this.serviceTime.record(10_000_000, 31);
		}
		assertThat(this.serviceTime.averageNanosPerCall() / 1e6).isCloseTo(15 / 32.0, within(0.05));
		assertThat(this.serviceTime.averageNanosPerRun() / 1e6).isCloseTo(7.5, within(0.5));
	}

	@Test
	void growsWithTheTimeOfCancelledCalls() {
		record(10, Duration.ofMillis(10));
		for (int i = 0; i < 4; i++) {
			long before = this.serviceTime.averageNanosPerCall();
			this.serviceTime.record(1_000_000_000, 0);
			assertThat(this.serviceTime.averageNanosPerCall()).isGreaterThan(before);
		}
		assertThat(Duration.ofNanos(this.serviceTime.averageNanosPerCall())).isGreaterThan(Duration.ofSeconds(2));
	}

	@Test
	void isFiniteWhenEveryCallWasCancelled() {
		for (int i = 0; i < 100; i++) {
			this.serviceTime.record(Duration.ofSeconds(4).toNanos(), 0);
		}
		assertThat(Duration.ofNanos(this.serviceTime.averageNanosPerCall())).isBetween(Duration.ofSeconds(4),
				Duration.ofSeconds(60));
	}

	@Test
	void isShortAgainSoonAfterManyCancelledCalls() {
		for (int i = 0; i < 100; i++) {
			this.serviceTime.record(Duration.ofSeconds(4).toNanos(), 0);
		}
		record(200, Duration.ofMillis(10));
		assertThat(Duration.ofNanos(this.serviceTime.averageNanosPerCall())).isLessThan(Duration.ofMillis(20));
	}

	@Test
	void remembersASecondOfEachSlot() {
		var four = new ServiceTime(4);
		for (int i = 0; i < 1000; i++) {
			four.record(20_000_000, 1);
		}
		for (int i = 0; i < 10; i++) {
			four.record(100_000_000, 1);
		}
		assertThat(Duration.ofNanos(four.averageNanosPerCall())).isBetween(Duration.ofMillis(20),
				Duration.ofMillis(30));
	}

	@Test
	void fallsLittleAfterAFewFasterCalls() {
		record(100, Duration.ofMillis(10));
		record(5, Duration.ofMillis(1));
		assertThat(Duration.ofNanos(this.serviceTime.averageNanosPerCall())).isBetween(Duration.ofMillis(9),
				Duration.ofMillis(10));
	}

	@Test
	void isTheMeanOfFastAndSlowOnes() {
		for (int i = 0; i < 1000; i++) {
			record(1, Duration.ofMillis(1));
			record(1, Duration.ofMillis(19));
		}
		assertThat(this.serviceTime.averageNanosPerCall() / 1e6).isCloseTo(10, within(1.0));
	}

	@Test
	void followsAModelThatBecomesSlow() {
		record(1000, Duration.ofNanos(20_000));
		record(20, Duration.ofSeconds(1));
		assertThat(Duration.ofNanos(this.serviceTime.averageNanosPerCall())).isGreaterThan(Duration.ofMillis(750));
	}

	@Test
	void followsAModelThatBecomesFast() {
		record(1, Duration.ofSeconds(1));
		record(200, Duration.ofNanos(20_000));
		assertThat(Duration.ofNanos(this.serviceTime.averageNanosPerCall())).isLessThan(Duration.ofMillis(10));
	}

	@Test
	void isNeverUnknownAfterACall() {
		this.serviceTime.record(0, 1);
		assertThat(this.serviceTime.averageNanosPerCall()).isPositive();
	}

	private void record(int times, Duration taken) {
		for (int i = 0; i < times; i++) {
			this.serviceTime.record(taken.toNanos(), 1);
		}
	}

}
