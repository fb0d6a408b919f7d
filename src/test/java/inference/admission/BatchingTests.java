package inference.admission;

import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import org.springframework.boot.actuate.info.Info;

import inference.admission.AdmissionProperties.Limits;
import inference.model.FakeModel;
import inference.model.Shape;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;

class BatchingTests {

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	@Test
	void aModelThatTakesAsLongForManyRowsAsForOneRunsManyTogether() {
		var batching = rehearsed(null, (inputs) -> {
			LockSupport.parkNanos(1_000_000);
			return FakeModel.echo(inputs);
		});
		assertThat(batching.maxSize()).isEqualTo(32);
		assertThat(this.meters.get("inference.batching.max.size").gauge().value()).isEqualTo(32);
		assertThat(this.meters.get("inference.batching.gain").gauge().value()).isGreaterThan(2);
		assertThat(info(batching)).isEqualTo("measured during warm-up");
	}

	@Test
	void aModelThatTakesItsTimeForEachRowRunsThemAlone() {
		var batching = rehearsed(null, (inputs) -> {
			for (float _ : x(inputs).floats()) {
				LockSupport.parkNanos(1_000_000);
			}
			return FakeModel.echo(inputs);
		});
		assertThat(batching.maxSize()).isEqualTo(1);
		assertThat(info(batching)).isEqualTo("hardly a gain was measured during warm-up");
	}

	@Test
	void rowsThatComeOutDifferentlyInCompanyAreRunAlone() {
		var batching = rehearsed(null, (inputs) -> {
			LockSupport.parkNanos(1_000_000);
			float[] values = x(inputs).floats();
			float largest = 0;
			for (float value : values) {
				largest = Math.max(largest, value);
			}
			for (int i = 0; i < values.length; i++) {
				values[i] = largest;
			}
			return Map.of("y", Tensor.ofFloats(Shape.of(values.length), values));
		});
		assertThat(batching.maxSize()).isEqualTo(1);
		assertThat(info(batching))
			.isEqualTo("in company of another row, output 'y' is 1.0 instead of 0.0 at element 0");
	}

	@Test
	void aModelThatFailsOnSeveralRowsRunsThemAlone() {
		var batching = rehearsed(null, (inputs) -> {
			if (x(inputs).shape().dimension(0) > 1) {
				throw new IllegalStateException("Reshape");
			}
			return FakeModel.echo(inputs);
		});
		assertThat(batching.maxSize()).isEqualTo(1);
		assertThat(info(batching)).isEqualTo("the model failed on several rows: Reshape");
	}

	@Test
	void aRunIsNeverPlannedToTakeLongerThanAnEighthOfTheDeadline() {
		var batching = batching(null, Duration.ofMillis(80));
		int[] most = { 0 };
		batching.rehearse(new FakeModel().signature(), FakeModel.question(0), (inputs) -> {
			int rows = (int) x(inputs).shape().dimension(0);
			most[0] = Math.max(most[0], rows);
			LockSupport.parkNanos(3_000_000L * rows);
			return FakeModel.echo(inputs);
		});
		assertThat(most[0]).isLessThanOrEqualTo(2);
	}

	@Test
	void whatTheConfigurationSaysGoesBeforeWhatIsMeasured() {
		assertThat(rehearsed(7, FakeModel::echo).maxSize()).isEqualTo(7);
		var off = rehearsed(1, FakeModel::echo);
		assertThat(off.maxSize()).isEqualTo(1);
		assertThat(info(off)).isEqualTo("as configured");
	}

	@Test
	void aModelWithoutRowsRunsCallsAloneWhateverTheConfigurationSays() {
		var batching = batching(8, Duration.ofSeconds(4));
		batching.rehearse(new FakeModel(Shape.of(2)).signature(), FakeModel.question(0, 0), FakeModel::echo);
		assertThat(batching.maxSize()).isEqualTo(1);
		assertThat(info(batching)).isEqualTo("not every tensor has an open first dimension");
	}

	private Batching rehearsed(@Nullable Integer maxSize, UnaryOperator<Map<String, Tensor>> model) {
		var batching = batching(maxSize, Duration.ofSeconds(4));
		for (int i = 0; i < 3; i++) {
			batching.rehearse(new FakeModel().signature(), FakeModel.question(0), model);
		}
		return batching;
	}

	private Batching batching(@Nullable Integer maxSize, Duration deadline) {
		return new Batching(new AdmissionProperties(deadline, new Limits(1, 10),
				new AdmissionProperties.Batching(maxSize, Duration.ZERO)), this.meters);
	}

	private static Tensor x(Map<String, Tensor> inputs) {
		return Objects.requireNonNull(inputs.get("x"));
	}

	private static String info(Batching batching) {
		var builder = new Info.Builder();
		batching.contribute(builder);
		return ((Batching.Decision) Objects.requireNonNull(builder.build().get("batching"))).reason();
	}

}
