package inference.admission;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.function.UnaryOperator;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import inference.lifecycle.Lifecycles;
import inference.model.FakeModel;
import inference.model.ModelMetadata;
import inference.model.OnnxFiles;
import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorComparison;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

@ExtendWith(OutputCaptureExtension.class)
class BatchingTests {

	private final SimpleMeterRegistry meters = new SimpleMeterRegistry();

	@Test
	void isOffUnlessConfigured() {
		var batching = batching(1, Duration.ofMillis(20));
		batching.beforeTimedRuns(ModelMetadata.of(new FakeModel()), (_) -> {
			throw new AssertionError("there is nothing to check");
		});
		assertThat(batching.maxRows()).isOne();
		assertThat(batching.maxDelayNanos()).isZero();
		assertThat(info(batching)).isEqualTo(new Batching.Decision(1, "inference.batching.max-size is 1"));
	}

	@Test
	void refusesADelayThatWouldMakeALoneCallMissItsDeadline() {
		assertThatException().isThrownBy(() -> batching(2, Admissions.DEADLINE))
			.withMessageContaining("must be shorter than inference.deadline");
		assertThat(batching(1, Admissions.DEADLINE).maxRows()).isOne();
	}

	@Test
	void isOffUntilTheModelIsChecked() {
		var batching = batching(7, Duration.ofMillis(20));
		assertThat(info(batching)).isEqualTo(new Batching.Decision(1, "not checked yet"));
		assertThat(batching.maxDelayNanos()).isZero();
	}

	@Test
	void isAsConfiguredIfNoInfluenceIsFound(CapturedOutput output) {
		var batching = rehearsed(7, FakeModel::echo);
		assertThat(batching.maxRows()).isEqualTo(7);
		assertThat(batching.maxDelayNanos()).isEqualTo(20_000_000);
		assertThat(this.meters.get("inference.batching.max.size").gauge().value()).isEqualTo(7);
		assertThat(info(batching).reason()).startsWith("no influence between rows found, ");
		assertThat(output).doesNotContain("WARN");
	}

	@Test
	void isOffAndWarnsOnceIfAnInfluenceIsFound(CapturedOutput output) {
		var batching = rehearsed(7, (inputs) -> {
			float[] values = Objects.requireNonNull(inputs.get("x")).floats();
			for (int i = 1; i < values.length; i++) {
				values[i] += values[i - 1];
			}
			return Map.of("y", Tensor.ofFloats(Shape.of(values.length), values));
		});
		assertThat(batching.maxRows()).isOne();
		assertThat(info(batching).reason()).startsWith("in a batch of 7 rows, output 'y' of a row is ");
		assertThat(output).containsOnlyOnce(
				"Requests are not batched, although inference.batching.max-size is 7: " + info(batching).reason());
	}

	@Test
	void isOffForAModelWithoutRows() {
		var batching = batching(8, Duration.ZERO);
		batching.beforeTimedRuns(ModelMetadata.of(new FakeModel(Shape.of(2))), FakeModel::echo);
		assertThat(info(batching))
			.isEqualTo(new Batching.Decision(1, "not every tensor has a variable first dimension"));
	}

	@Test
	void clientsThatShareABatchGetTheAnswersTheyWouldGetAlone() throws Exception {
		var model = OnnxFiles.open("classpath:models/rows/mlp.onnx");
		var rows = new ArrayList<Map<String, Tensor>>();
		var alone = new ArrayList<Tensor>();
		for (int i = 0; i < 64; i++) {
			rows.add(Map.of("x", Tensor.ofFloats(Shape.of(1, 4), i, -i, 0.1f * i, 1)));
			alone.add(Objects.requireNonNull(model.infer(rows.get(i)).get("y")));
		}
		var batching = batching(8, Duration.ofMillis(20));
		batching.beforeTimedRuns(ModelMetadata.of(model), model::infer);
		var admission = Admissions.of(Lifecycles.ready(model), new AdmissionProperties(1, 100), batching, this.meters);
		try (var clients = Executors.newFixedThreadPool(16)) {
			List<Callable<Map<String, Tensor>>> calls = new ArrayList<>();
			rows.forEach((row) -> calls.add(() -> Admissions.infer(admission, row)));
			var answers = clients.invokeAll(calls);
			for (int i = 0; i < 64; i++) {
				var together = Objects.requireNonNull(answers.get(i).get().get("y"));
				assertThat(TensorComparison.difference(alone.get(i), together, 1e-4,
						TensorComparison.largestAbsoluteValue(alone.get(i))))
					.isNull();
			}
		}
		assertThat(this.meters.get("inference.batch.rows").summary().max()).isGreaterThan(1);
	}

	private Batching rehearsed(int maxSize, UnaryOperator<Map<String, Tensor>> model) {
		var batching = batching(maxSize, Duration.ofMillis(20));
		batching.beforeTimedRuns(ModelMetadata.of(new FakeModel()), model);
		return batching;
	}

	private Batching batching(int maxSize, Duration maxDelay) {
		return Admissions.batching(maxSize, maxDelay, this.meters);
	}

	private static Batching.Decision info(Batching batching) {
		var builder = new Info.Builder();
		batching.contribute(builder);
		return (Batching.Decision) Objects.requireNonNull(builder.build().get("batching"));
	}

}
