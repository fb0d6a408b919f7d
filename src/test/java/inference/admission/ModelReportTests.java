package inference.admission;

import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class ModelReportTests {

	private static final List<TensorSpec> OUTPUTS = List.of(new TensorSpec("y", DataType.FP32, Shape.of(-1)));

	@Test
	void warnsIfOneRowIsLargerThanABodyMayBe(CapturedOutput log) {
		check(12_582_911);
		assertThat(log).contains("A request for this model has at least 12582912 bytes in binary")
			.contains("raise inference.request.max-size");
	}

	@Test
	void isSilentIfOneRowFits(CapturedOutput log) {
		check(12_582_912);
		assertThat(log).doesNotContain("A request for this model has at least");
	}

	// The numbers are from two containers of 384 MB that became ready. Under load, the
	// first was killed, and the second was not.
	@Test
	void expectsAModelThatLeavesLittleMemoryToExceedTheLimit() {
		assertThat(ModelReport.neededBytes(183L << 20, 108L << 20, 384L << 20)).isGreaterThan(384L << 20);
		assertThat(ModelReport.neededBytes(133L << 20, 120L << 20, 384L << 20)).isLessThan(384L << 20);
	}

	@Test
	void warnsIfTheShutdownIsShorterThanTheDeadline(CapturedOutput log) {
		ModelReport.warnIfShutdownIsShort(Duration.ofSeconds(10), Duration.ofSeconds(10));
		assertThat(log).contains("spring.lifecycle.timeout-per-shutdown-phase (10000 ms)"
				+ " must be longer than inference.deadline (10000 ms)");
	}

	@Test
	void isSilentIfTheShutdownIsLonger(CapturedOutput log) {
		ModelReport.warnIfShutdownIsShort(Duration.ofSeconds(10), Duration.ofSeconds(4));
		assertThat(log).doesNotContain("cut");
	}

	private static void check(long maxBodyBytes) {
		TensorSpec image = new TensorSpec("x", DataType.FP32, Shape.of(-1, 3, 1024, 1024));
		ModelReport.warnIfNoRequestFits(new Signature(List.of(image), OUTPUTS), maxBodyBytes);
	}

}
