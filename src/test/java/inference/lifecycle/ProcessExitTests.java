package inference.lifecycle;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.context.support.GenericApplicationContext;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatNoException;

class ProcessExitTests {

	private final ProcessExit processExit = new ProcessExit(new GenericApplicationContext());

	@Test
	void startsWithoutASignalThatTheSystemDoesNotHave() {
		assertThatNoException().isThrownBy(() -> this.processExit.installSignalHandler("UNKNOWN"));
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			Java heap space                                                        | Give it more memory
			Cannot reserve 65536 bytes of direct buffer memory (limit: 16777216)   | -XX:MaxDirectMemorySize
			failed to allocate 4194304 byte(s) of direct memory (max: 16777216)    | -XX:MaxDirectMemorySize
			unable to create native thread: possibly process/resource limits reached | more threads
			""")
	void saysWhichLimitToRaise(String problem, String remedy) {
		assertThat(ProcessExit.memoryRemedy(problem)).contains(remedy);
	}

	@Test
	void startsWithoutASignalThatTheJvmReserves() {
		assertThatNoException().isThrownBy(() -> this.processExit.installSignalHandler("QUIT"));
	}

}
