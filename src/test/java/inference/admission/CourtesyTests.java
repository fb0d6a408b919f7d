package inference.admission;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class CourtesyTests {

	private static final long NOW = Long.MAX_VALUE - 1000;

	@Test
	void lastsAMillisecond() {
		var courtesy = Courtesy.of(Deadline.in(Duration.ofSeconds(10), NOW), NOW);
		assertThat(courtesy.isOver(NOW + millis(1) / 2)).isFalse();
		assertThat(courtesy.isOver(NOW + millis(1))).isTrue();
	}

	@Test
	void leavesTimeForTheOwnAnswer() {
		var courtesy = Courtesy.of(Deadline.in(Duration.ofMillis(1), NOW), NOW);
		assertThat(courtesy.isOver(NOW + millis(1) / 4)).isFalse();
		assertThat(courtesy.isOver(NOW + millis(1) / 2)).isTrue();
	}

	@Test
	void doesNotBeginAfterTheOwnDeadline() {
		assertThat(Courtesy.of(Deadline.in(Duration.ofMillis(4), NOW), NOW + millis(5)).isOver(NOW + millis(5)))
			.isTrue();
	}

	private static long millis(long millis) {
		return Duration.ofMillis(millis).toNanos();
	}

}
