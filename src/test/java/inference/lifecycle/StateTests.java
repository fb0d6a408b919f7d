package inference.lifecycle;

import java.util.Arrays;
import java.util.EnumSet;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;

class StateTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			LOADING  | WARMING, FAILED, DRAINING
			WARMING  | READY, FAILED, DRAINING
			READY    | STUCK, DRAINING
			STUCK    | READY, DRAINING
			DRAINING | CLOSED
			FAILED   | CLOSED
			CLOSED   | ''
			""")
	void becomesOnlyWhatTheLifeOfAModelAllows(State state, String next) {
		assertThat(Arrays.stream(State.values()).filter(state::canBecome).map(State::name))
			.containsExactlyInAnyOrder(next.isEmpty() ? new String[0] : next.split(", ", -1));
	}

	@Test
	void servesWhileTheModelIsLoadedAndWhole() {
		assertThat(Arrays.stream(State.values()).filter(State::serves)).containsExactlyInAnyOrder(State.READY,
				State.DRAINING);
	}

	@ParameterizedTest
	@EnumSource
	void leadsToTheEndFromEveryState(State state) {
		var reachable = EnumSet.of(state);
		for (boolean grew = true; grew;) {
			grew = reachable.addAll(Arrays.stream(State.values())
				.filter((next) -> reachable.stream().anyMatch((from) -> from.canBecome(next)))
				.toList());
		}
		assertThat(reachable).contains(State.CLOSED);
	}

}
