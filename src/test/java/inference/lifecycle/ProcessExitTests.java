package inference.lifecycle;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThatNoException;

class ProcessExitTests {

	@Test
	void startsWithoutASignalThatTheSystemDoesNotHave() {
		assertThatNoException().isThrownBy(() -> new ProcessExit().handleSignal("UNKNOWN"));
	}

	@Test
	void startsWithoutASignalThatTheJvmReserves() {
		assertThatNoException().isThrownBy(() -> new ProcessExit().handleSignal("QUIT"));
	}

}
