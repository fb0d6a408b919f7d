package inference.lifecycle;

import org.junit.jupiter.api.Test;

import org.springframework.context.support.GenericApplicationContext;

import static org.assertj.core.api.Assertions.assertThatNoException;

class ProcessExitTests {

	private final ProcessExit processExit = new ProcessExit(new GenericApplicationContext());

	@Test
	void startsWithoutASignalThatTheSystemDoesNotHave() {
		assertThatNoException().isThrownBy(() -> this.processExit.installSignalHandler("UNKNOWN"));
	}

	@Test
	void startsWithoutASignalThatTheJvmReserves() {
		assertThatNoException().isThrownBy(() -> this.processExit.installSignalHandler("QUIT"));
	}

}
