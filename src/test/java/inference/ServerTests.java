package inference;

import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.Test;

import inference.lifecycle.State;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * The tests' own server never holds a build up.
 */
class ServerTests {

	@Test
	void aFailedAssertionEndsATestWhoseModelStillLoads() {
		CountDownLatch never = new CountDownLatch(1);
		assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> {
			try (Server server = Server.starting(() -> new TestModel(never))) {
				server.await(State.LOADING);
				throw new AssertionError("an assertion failed");
			}
		}).withMessage("an assertion failed").satisfies((ex) -> assertThat(ex.getSuppressed()).isEmpty());
	}

}
