package inference.model;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import inference.model.IrisTraining.Flower;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class IrisModelTests {

	private byte[] model;

	@BeforeEach
	void skipWhenAnotherModelIsBundled() throws IOException {
		this.model = BundledModel.assumeBundled();
	}

	@Test
	void isWhatTheTrainingCommandWrites() {
		assertThat(IrisTraining.train()).isEqualTo(this.model);
	}

	@Test
	void recognisesFlowersThatTrainingNeverSaw() throws Exception {
		var flowers = IrisTraining.heldOut();
		var labels = labels(flowers);
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
	void hasTheDigestThatItsProvenanceStates() throws Exception {
		var digest = MessageDigest.getInstance("SHA-256").digest(this.model);
		assertThat(provenance()).contains(HexFormat.of().formatHex(digest));
	}

	private static List<String> labels(List<Flower> flowers) {
		var values = FloatBuffer.allocate(4 * flowers.size());
		flowers.forEach((flower) -> flower.measurements().forEach((value) -> values.put(value.floatValue())));
		try (var model = OnnxFiles.open("classpath:model.onnx")) {
			var input = Tensor.ofFloats(Shape.of(flowers.size(), 4), values.array());
			return Objects.requireNonNull(model.infer(Map.of("input-0", input)).get("label")).strings();
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
