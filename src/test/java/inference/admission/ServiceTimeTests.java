package inference.admission;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ServiceTimeTests {

	private final ServiceTime serviceTime = new ServiceTime();

	@Test
	void isThatOfTheFirstCallAtOnce() {
		assertThat(this.serviceTime.average()).isZero();
		record(1, Duration.ofMillis(10));
		assertThat(this.serviceTime.average()).isEqualTo(10_000_000);
	}

	@Test
	void isSharedByThoseWhoRunTogether() {
		this.serviceTime.record(80, 8);
		assertThat(this.serviceTime.average()).isEqualTo(10);
	}

	@Test
	void aFewThatAreFasterHardlyLowerIt() {
		record(100, Duration.ofMillis(10));
		record(5, Duration.ofMillis(1));
		assertThat(Duration.ofNanos(this.serviceTime.average())).isBetween(Duration.ofMillis(9), Duration.ofMillis(10));
	}

	@Test
	void isTheMeanOfFastAndSlowOnes() {
		for (int i = 0; i < 1000; i++) {
			record(1, Duration.ofMillis(1));
			record(1, Duration.ofMillis(19));
		}
		assertThat(this.serviceTime.average() / 1e6).isCloseTo(10, within(1.0));
	}

	@Test
	void followsAModelThatBecomesSlow() {
		record(1000, Duration.ofNanos(20_000));
		record(20, Duration.ofSeconds(1));
		assertThat(Duration.ofNanos(this.serviceTime.average())).isGreaterThan(Duration.ofMillis(750));
	}

	@Test
	void followsAModelThatBecomesFast() {
		record(1, Duration.ofSeconds(1));
		record(200, Duration.ofNanos(20_000));
		assertThat(Duration.ofNanos(this.serviceTime.average())).isLessThan(Duration.ofMillis(10));
	}

	@Test
	void neverComesOutAsUnknown() {
		this.serviceTime.record(0, 1);
		assertThat(this.serviceTime.average()).isPositive();
	}

	private void record(int times, Duration taken) {
		for (int i = 0; i < times; i++) {
			this.serviceTime.record(taken.toNanos(), 1);
		}
	}

}
