package inference.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

import inference.model.DataType;
import inference.model.ModelProperties;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;
import inference.protocol.InferenceRequest.Form;
import inference.protocol.InferenceRequest.Output;

/**
 * From the bytes of a request for one flower to tensors, and from its tensors to the
 * bytes of the answer.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CodecBenchmark {

	private static final byte[] JSON = utf8(
			"{\"inputs\":[{\"name\":\"input-0\",\"shape\":[1,4],\"datatype\":\"FP32\",\"data\":[6.8,2.8,4.8,1.4]}]}");

	private static final byte[] BINARY = utf8("{\"parameters\":{\"binary_data_output\":true},\"inputs\":"
			+ "[{\"name\":\"input-0\",\"shape\":[1,4],\"datatype\":\"FP32\",\"parameters\":{\"binary_data_size\":16}}]}");

	private static final byte[] ROWS = utf8("{\"instances\":[[6.8,2.8,4.8,1.4]]}");

	private final RequestReader reader = new RequestReader(
			new Signature(List.of(new TensorSpec("input-0", DataType.FP32, Shape.of(-1, 4))),
					List.of(new TensorSpec("label", DataType.BYTES, Shape.of(-1)),
							new TensorSpec("probabilities", DataType.FP32, Shape.of(-1, 3)))),
			EnumSet.allOf(Form.class));

	private final Predictions predictions = new Predictions(
			new ModelProperties("iris", "1", "none", 1, "cpu", List.of()));

	private final Map<String, Tensor> outputs = Map.of("label", Tensor.ofStrings(Shape.of(1), List.of("versicolor")),
			"probabilities", Tensor.ofFloats(Shape.of(1, 3), 3.2212859E-7f, 0.9818538f, 0.018145874f));

	private final byte[] binary = withTensor(BINARY);

	private final InferenceRequest jsonRequest = read(JSON, null);

	private final InferenceRequest binaryRequest = read(this.binary, String.valueOf(BINARY.length));

	private final InferenceRequest rowsRequest = read(ROWS, null);

	private final Map<String, Tensor> embeddings = Map.of("last_hidden_state", normal(Shape.of(1, 16, 384)));

	private final InferenceRequest embeddingsRequest = new InferenceRequest(Form.OIP, null, this.jsonRequest.inputs(),
			List.of(new Output(new TensorSpec("last_hidden_state", DataType.FP32, Shape.of(-1, -1, 384)), false)),
			null);

	@Benchmark
	public Object readJson() {
		return read(JSON, null);
	}

	@Benchmark
	public Object readBinary() {
		return read(this.binary, String.valueOf(BINARY.length));
	}

	@Benchmark
	public Object readRows() {
		return read(ROWS, null);
	}

	@Benchmark
	public Object writeJson() {
		return this.predictions.answer(this.jsonRequest, this.outputs);
	}

	@Benchmark
	public Object writeBinary() {
		return this.predictions.answer(this.binaryRequest, this.outputs);
	}

	@Benchmark
	public Object writeRows() {
		return this.predictions.answer(this.rowsRequest, this.outputs);
	}

	/** A text's 16 token embeddings of 384 numbers each. */
	@Benchmark
	public Object writeEmbeddings() {
		return this.predictions.answer(this.embeddingsRequest, this.embeddings);
	}

	private InferenceRequest read(byte[] body, @Nullable String jsonLength) {
		try {
			return this.reader.read(RequestBody.of(body), jsonLength);
		}
		catch (IOException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static byte[] withTensor(byte[] json) {
		ByteBuffer tensor = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN);
		tensor.putFloat(6.8f).putFloat(2.8f).putFloat(4.8f).putFloat(1.4f);
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		body.writeBytes(json);
		body.writeBytes(tensor.array());
		return body.toByteArray();
	}

	private static Tensor normal(Shape shape) {
		Random random = new Random(1);
		float[] numbers = new float[(int) shape.elements()];
		for (int i = 0; i < numbers.length; i++) {
			numbers[i] = (float) random.nextGaussian();
		}
		return Tensor.ofFloats(shape, numbers);
	}

	private static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
