package inference.lifecycle;

import java.util.Arrays;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

class StateTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			LOADING  | WARMING, FAILED, DRAINING
			WARMING  | READY, FAILED, DRAINING
			READY    | STUCK, DRAINING
			STUCK    | READY, STUCK, DRAINING
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

}
