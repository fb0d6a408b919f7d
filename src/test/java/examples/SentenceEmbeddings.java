package examples;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

import org.tribuo.util.tokens.Tokenizer;
import org.tribuo.util.tokens.impl.wordpiece.Wordpiece;
import org.tribuo.util.tokens.impl.wordpiece.WordpieceBasicTokenizer;
import org.tribuo.util.tokens.impl.wordpiece.WordpieceTokenizer;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.io.ClassPathResource;
import org.springframework.stereotype.Component;

import inference.model.DataType;
import inference.model.Example;
import inference.model.Model;
import inference.model.ModelProperties;
import inference.model.OnnxModel;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * A model that turns texts into vectors. Each vector has length 1. The more similar two
 * texts are, the larger the dot product of their vectors. The ONNX file takes tokens,
 * this class takes text.
 */
@Component
class SentenceEmbeddings implements Model {

	private static final String TOKENIZER = "all-minilm-l6-v2-q-tokenizer.json";

	private static final int WIDTH = 384;

	// The model was trained on at most this many tokens.
	private static final int MAX_TOKENS = 256;

	private final Map<String, Long> vocabulary;

	private final Wordpiece pieces;

	private final OnnxModel encoder;

	SentenceEmbeddings(ModelProperties properties) throws IOException {
		try (InputStream file = new ClassPathResource(TOKENIZER).getInputStream()) {
			this.vocabulary = JsonMapper.shared().readValue(file, TokenizerFile.class).model().vocab();
		}
		this.pieces = new Wordpiece(this.vocabulary.keySet());
		this.encoder = new OnnxModel(properties);
	}

	@Override
	public Signature signature() {
		return new Signature(List.of(new TensorSpec("text", DataType.BYTES, Shape.of(-1))),
				List.of(new TensorSpec("embedding", DataType.FP32, Shape.of(-1, WIDTH))));
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		List<long[]> texts = tensor(inputs, "text").strings().stream().map(this::tokens).toList();
		int length = texts.stream().mapToInt((tokens) -> tokens.length).max().orElse(0);
		long[] ids = new long[texts.size() * length];
		long[] mask = new long[ids.length];
		for (int row = 0; row < texts.size(); row++) {
			long[] tokens = texts.get(row);
			System.arraycopy(tokens, 0, ids, row * length, tokens.length);
			Arrays.fill(mask, row * length, row * length + tokens.length, 1);
		}
		Shape shape = Shape.of(texts.size(), length);
		Map<String, Tensor> states = this.encoder
			.infer(Map.of("input_ids", Tensor.ofLongs(shape, ids), "attention_mask", Tensor.ofLongs(shape, mask),
					"token_type_ids", Tensor.ofLongs(shape, new long[ids.length])));
		float[] hidden = tensor(states, "last_hidden_state").floats();
		float[] vectors = new float[texts.size() * WIDTH];
		for (int row = 0; row < texts.size(); row++) {
			pool(hidden, row * length, texts.get(row).length, vectors, row);
		}
		return Map.of("embedding", Tensor.ofFloats(Shape.of(texts.size(), WIDTH), vectors));
	}

	// The warm-up uses this example. Rows in one batch share a quantisation scale, so
	// results differ by up to the tolerance.
	@Override
	public List<Example> examples() {
		List<String> texts = List.of("hello", "The weather is lovely today.", "He drove to the stadium.");
		return List.of(new Example(Map.of("text", Tensor.ofStrings(Shape.of(texts.size()), texts)), Map.of(), 0.05));
	}

	@Override
	public void close() {
		this.encoder.close();
	}

	// A tokenizer serves one thread at a time, but several threads call infer, so each
	// call makes its own.
	private long[] tokens(String text) {
		Tokenizer tokenizer = new WordpieceTokenizer(this.pieces, new WordpieceBasicTokenizer(), true, true, Set.of());
		// The model has not learnt invisible characters, such as the soft hyphen.
		String visibleText = text.replaceAll("\\p{Cf}", "");
		Stream<String> tokens = tokenizer.split(visibleText).stream().limit(MAX_TOKENS - 2);
		return Stream.of(Stream.of("[CLS]"), tokens, Stream.of("[SEP]"))
			.flatMap((part) -> part)
			.mapToLong((token) -> this.vocabulary.getOrDefault(token, 0L))
			.toArray();
	}

	// Computes the mean of the states of a text's tokens, without padding. The vector is
	// scaled to length 1, so the sum can replace the mean.
	private static void pool(float[] states, int first, int count, float[] vectors, int row) {
		double squares = 0;
		for (int i = 0; i < WIDTH; i++) {
			float sum = 0;
			for (int token = first; token < first + count; token++) {
				sum += states[token * WIDTH + i];
			}
			vectors[row * WIDTH + i] = sum;
			squares += sum * sum;
		}
		for (int i = 0; i < WIDTH; i++) {
			vectors[row * WIDTH + i] /= (float) Math.sqrt(squares);
		}
	}

	private static Tensor tensor(Map<String, Tensor> tensors, String name) {
		return Objects.requireNonNull(tensors.get(name), name);
	}

	private record TokenizerFile(WordpieceModel model) {
	}

	private record WordpieceModel(Map<String, Long> vocab) {
	}

}
