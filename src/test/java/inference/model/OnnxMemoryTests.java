package inference.model;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class OnnxMemoryTests {

	private static final long MB = 1L << 20;

	@Test
	void callsCanTakeWhatTheJvmAndTheModelLeave() {
		assertThat(OnnxMemory.limitBytes(1024 * MB, 400 * MB, 2, 100 * MB))
			.isEqualTo((1024 - 400 - 128 - 64 - 150) * MB);
	}

	@Test
	void callsCanTakeAnEighthOfTheMemoryBesideALargeModel() {
		assertThat(OnnxMemory.limitBytes(1024 * MB, 400 * MB, 2, 1000 * MB)).isEqualTo(128 * MB);
	}

}
