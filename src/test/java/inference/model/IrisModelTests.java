package inference.model;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import inference.model.IrisTraining.Flower;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class IrisModelTests {

	private byte[] model;

	@BeforeEach
	void skipWhenAnotherModelIsBundled() throws IOException {
		this.model = IrisModel.assumeBundled();
	}

	@Test
	void isWhatTheTrainingCommandWrites() {
		assertThat(IrisTraining.train()).isEqualTo(this.model);
	}

	@Test
	void recognisesFlowersThatTrainingNeverSaw() throws Exception {
		var flowers = IrisTraining.heldOut();
		var labels = labels(flowers.stream().map(Flower::measurements).toList());
		int right = 0;
		for (int i = 0; i < labels.size(); i++) {
			if (labels.get(i).equals(flowers.get(i).species())) {
				right++;
			}
		}
		assertThat((double) right / labels.size()).isGreaterThanOrEqualTo(0.93);
		assertThat(provenance()).contains("%d of %d".formatted(right, labels.size()));
	}

	@Test
	void takesMeasurementsInTheOrderOfTheFile() throws OrtException {
		assertThat(
				labels(List.of(List.of(5.1, 3.5, 1.4, 0.2), List.of(6.8, 2.8, 4.8, 1.4), List.of(6.0, 3.4, 4.5, 1.6))))
			.containsExactly("setosa", "versicolor", "versicolor");
	}

	@Test
	void hasTheDigestThatItsProvenanceStates() throws Exception {
		var digest = MessageDigest.getInstance("SHA-256").digest(this.model);
		assertThat(provenance()).contains(HexFormat.of().formatHex(digest));
	}

	private List<String> labels(List<List<Double>> rows) throws OrtException {
		var values = FloatBuffer.allocate(4 * rows.size());
		rows.forEach((row) -> row.forEach((value) -> values.put(value.floatValue())));
		var environment = OrtEnvironment.getEnvironment();
		try (var session = environment.createSession(this.model);
				var input = OnnxTensor.createTensor(environment, values.flip(), new long[] { rows.size(), 4 });
				var outputs = session.run(Map.of("input-0", input))) {
			return List.of((String[]) outputs.get("label").orElseThrow().getValue());
		}
	}

	private static String provenance() throws IOException {
		return new String(resource("/model.md"), StandardCharsets.UTF_8);
	}

	private static byte[] resource(String name) throws IOException {
		try (var resource = IrisModelTests.class.getResourceAsStream(name)) {
			return Objects.requireNonNull(resource, name).readAllBytes();
		}
	}

}
