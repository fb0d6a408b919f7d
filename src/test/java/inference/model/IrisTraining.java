package inference.model;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntPredicate;

import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import com.google.protobuf.ByteString;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/**
 * Trains the bundled model, a classifier for Fisher's irises, and writes it to the
 * resources. The file {@code model.md} there says how to run this class.
 */
final class IrisTraining {

	// The model must answer these examples before it is served. Another runtime gives the
	// same answers.
	private static final String EXAMPLES = """
			[{"inputs":{"input-0":[[5.1,3.5,1.4,0.2],[6.8,2.8,4.8,1.4],[6.3,3.3,6.0,2.5]]},\
			"outputs":{"label":["setosa","versicolor","virginica"],\
			"probabilities":[[0.9999,0.0001,0.0],[0.0,0.9819,0.0181],[0.0,0.0,1.0]]},"tolerance":0.001}]""";

	private static final Path MODEL = Path.of("src/main/resources/model.onnx");

	private static final List<String> FEATURES = List.of("sepal_length", "sepal_width", "petal_length", "petal_width");

	private static final List<String> SPECIES = List.of("setosa", "versicolor", "virginica");

	private static final double LEARNING_RATE = 0.5;

	private static final int EPOCHS = 200;

	private static final int MINIBATCH = 8;

	private static final long SEED = 1936;

	private static final int DECIMALS = 3;

	private IrisTraining() {
	}

	static void main() throws IOException, GeneralSecurityException {
		var model = train();
		Files.write(MODEL, model);
		var digest = MessageDigest.getInstance("SHA-256").digest(model);
		IO.println("%s  %s".formatted(HexFormat.of().formatHex(digest), MODEL));
	}

	/**
	 * A flower's measurements in centimetres, in the order of the file's columns, and its
	 * species.
	 */
	record Flower(List<Double> measurements, String species) {
	}

	/**
	 * Every fifth flower of each species, which training never sees.
	 */
	static List<Flower> heldOut() {
		return flowers((row) -> row % 5 == 4);
	}

	/**
	 * Trains on the other flowers and returns the ONNX model, always the same bytes.
	 */
	static byte[] train() {
		var flowers = flowers((row) -> row % 5 != 4);
		var scales = FEATURES.stream().map((feature) -> Scale.of(feature, flowers)).toList();
		var dataset = new MutableDataset<>(new SimpleDataSourceProvenance("iris.csv", new LabelFactory()),
				new LabelFactory());
		flowers.forEach((flower) -> dataset.add(example(flower, scales)));
		var trainer = new LinearSGDTrainer(new LogMulticlass(), new AdaGrad(LEARNING_RATE), EPOCHS, -1, MINIBATCH,
				SEED);
		var trained = trainer.train(dataset);

		// Tribuo numbers features and species in its own order, so they are found by
		// name.
		var learned = trained.getWeightsCopy();
		var weights = new double[SPECIES.size()][FEATURES.size()];
		var biases = new double[SPECIES.size()];
		for (int s = 0; s < SPECIES.size(); s++) {
			int row = trained.getOutputIDInfo().getID(new Label(SPECIES.get(s)));
			biases[s] = learned.get(row, FEATURES.size());
			for (int f = 0; f < FEATURES.size(); f++) {
				var scale = scales.get(f);
				weights[s][f] = learned.get(row, trained.getFeatureIDMap().getID(FEATURES.get(f))) / scale.deviation();
				biases[s] -= weights[s][f] * scale.mean();
			}
		}
		return export(weights, biases);
	}

	private static byte[] export(double[][] weights, double[] biases) {
		return OnnxFiles.model(GraphProto.newBuilder()
			.setName("iris")
			.setDocString(
					"Tells the species of an iris from the length and width of its sepals and petals in centimetres.")
			.addInput(OnnxFiles.tensor("input-0", DataType.FLOAT, -1, FEATURES.size()))
			.addNode(NodeProto.newBuilder()
				.setName("classifier")
				.setDomain("ai.onnx.ml")
				.setOpType("LinearClassifier")
				.addInput("input-0")
				.addOutput("label")
				.addOutput("probabilities")
				.addAttribute(OnnxFiles.attribute("classlabels_strings", AttributeType.STRINGS)
					.addAllStrings(SPECIES.stream().map(ByteString::copyFromUtf8).toList()))
				.addAttribute(OnnxFiles.attribute("coefficients", AttributeType.FLOATS)
					.addAllFloats(Arrays.stream(weights)
						.flatMapToDouble(Arrays::stream)
						.mapToObj(IrisTraining::rounded)
						.toList()))
				.addAttribute(OnnxFiles.attribute("intercepts", AttributeType.FLOATS)
					.addAllFloats(Arrays.stream(biases).mapToObj(IrisTraining::rounded).toList()))
				.addAttribute(OnnxFiles.attribute("post_transform", AttributeType.STRING)
					.setS(ByteString.copyFromUtf8("SOFTMAX"))))
			.addOutput(OnnxFiles.tensor("label", DataType.STRING, -1))
			.addOutput(OnnxFiles.tensor("probabilities", DataType.FLOAT, -1, SPECIES.size())), EXAMPLES);
	}

	/**
	 * Rounds a weight to 3 decimals, because further digits may differ between CPUs.
	 */
	private static float rounded(double weight) {
		return BigDecimal.valueOf(weight).setScale(DECIMALS, RoundingMode.HALF_EVEN).floatValue();
	}

	private static Example<Label> example(Flower flower, List<Scale> scales) {
		var values = new double[FEATURES.size()];
		Arrays.setAll(values, (i) -> scales.get(i).apply(flower.measurements().get(i)));
		return new ArrayExample<>(new Label(flower.species()), FEATURES.toArray(String[]::new), values);
	}

	private static List<Flower> flowers(IntPredicate wanted) {
		List<Flower> flowers = new ArrayList<>();
		Map<String, Integer> seen = new HashMap<>();
		var lines = lines();
		if (!lines.getFirst().equals(String.join(",", FEATURES) + ",species")) {
			throw new IllegalStateException("iris.csv has other columns: " + lines.getFirst());
		}
		for (var line : lines.subList(1, lines.size())) {
			var fields = List.of(line.split(",", -1));
			var flower = new Flower(fields.subList(0, FEATURES.size()).stream().map(Double::valueOf).toList(),
					fields.getLast());
			int row = seen.merge(flower.species(), 1, Integer::sum) - 1;
			if (wanted.test(row)) {
				flowers.add(flower);
			}
		}
		return flowers;
	}

	private static List<String> lines() {
		try (var csv = IrisTraining.class.getResourceAsStream("/iris.csv")) {
			return new String(Objects.requireNonNull(csv).readAllBytes(), StandardCharsets.UTF_8).lines().toList();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * The mean and the standard deviation of a feature. Training uses standardized
	 * values.
	 */
	private record Scale(double mean, double deviation) {

		static Scale of(String feature, List<Flower> flowers) {
			int column = FEATURES.indexOf(feature);
			var values = flowers.stream().mapToDouble((flower) -> flower.measurements().get(column)).toArray();
			double mean = Arrays.stream(values).average().orElseThrow();
			double variance = Arrays.stream(values)
				.map((value) -> (value - mean) * (value - mean))
				.average()
				.orElseThrow();
			return new Scale(mean, Math.sqrt(variance));
		}

		double apply(double value) {
			return (value - this.mean) / this.deviation;
		}

	}

}
