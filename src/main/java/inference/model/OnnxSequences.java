package inference.model;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.LongStream;

import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import org.jspecify.annotations.Nullable;

/**
 * Converts outputs that are ONNX sequences to tensors. A sequence of maps, one for each
 * row, is a tensor [N,K] of the maps' values. A sequence of K tensors [N,…] is one tensor
 * [N,K,…].
 */
final class OnnxSequences {

	private OnnxSequences() {
	}

	/**
	 * The maps of a sequence, with their keys in ONNX Runtime's order, which the Java API
	 * loses: numbers ascending, texts by their characters.
	 */
	static List<Map<String, Object>> maps(OnnxSequence sequence) throws OrtException {
		List<Map<String, Object>> maps = new ArrayList<>();
		for (OnnxValue element : sequence.getValue()) {
			try (element) {
				Map<String, Object> map = new LinkedHashMap<>();
				new TreeMap<>((Map<?, ?>) element.getValue())
					.forEach((key, value) -> map.put(OnnxStrings.requireUnchanged(String.valueOf(key)), value));
				maps.add(map);
			}
		}
		return maps;
	}

	/**
	 * The tensors of a sequence, stacked under the sequence's name. If their shapes
	 * differ, each has a name of its own: {@code name.0}, {@code name.1} and so on.
	 * @param signature the model's outputs, which say whether the tensors are stacked;
	 * {@code null} if that is still to be found out
	 * @throws IllegalStateException if the tensors do not fit the signature
	 */
	static Map<String, Tensor> tensors(String name, OnnxSequence sequence, @Nullable Signature signature)
			throws OrtException {
		List<Tensor> tensors = new ArrayList<>();
		for (OnnxValue element : sequence.getValue()) {
			try (element) {
				tensors.add(OnnxTensors.fromOnnx((OnnxTensor) element));
			}
		}
		boolean isEven = tensors.stream().map(Tensor::shape).distinct().count() == 1;
		if ((signature != null) ? signature.output(name) != null : isEven) {
			if (!isEven) {
				throw new IllegalStateException(
						"output '%s' is a sequence of tensors whose shapes differ: %s".formatted(name, tensors));
			}
			return Map.of(name, stack(tensors));
		}
		Map<String, Tensor> named = new LinkedHashMap<>();
		tensors.forEach((tensor) -> named.put("%s.%d".formatted(name, named.size()), tensor));
		return named;
	}

	/**
	 * The values of maps as a tensor [N,K].
	 * @param spec the output, with the keys
	 * @throws IllegalStateException if a map has other keys
	 */
	static Tensor table(TensorSpec spec, List<Map<String, Object>> maps) {
		Shape shape = Shape.of(maps.size(), spec.keys().size());
		List<Object> values = new ArrayList<>();
		for (Map<String, Object> map : maps) {
			if (!List.copyOf(map.keySet()).equals(spec.keys())) {
				throw new IllegalStateException("output '%s' has a row with the keys %s instead of %s"
					.formatted(spec.name(), map.keySet(), spec.keys()));
			}
			values.addAll(map.values());
		}
		if (spec.dataType() == DataType.BYTES) {
			return Tensor.ofStrings(shape,
					values.stream().map((value) -> OnnxStrings.requireUnchanged(String.valueOf(value))).toList());
		}
		ByteBuffer contents = ByteBuffer.allocate(values.size() * spec.dataType().width())
			.order(ByteOrder.LITTLE_ENDIAN);
		for (Object value : values) {
			switch (value) {
				case Float number -> contents.putFloat(number);
				case Double number -> contents.putDouble(number);
				case Long number -> contents.putLong(number);
				default -> throw new IllegalStateException("a map has the value %s".formatted(value));
			}
		}
		return Tensor.of(spec.dataType(), shape, contents.flip());
	}

	// K tensors [N,…] become [N,K,…], and K scalars become [K].
	private static Tensor stack(List<Tensor> tensors) {
		Tensor first = tensors.getFirst();
		boolean isScalar = first.shape().rank() == 0;
		int rows = isScalar ? 1 : Math.toIntExact(first.shape().dimension(0));
		int size = Math.toIntExact(tensors.stream().mapToLong((tensor) -> tensor.contents().remaining()).sum());
		long[] inner = isScalar ? new long[0] : first.shape().row().dimensions();
		long[] dimensions = LongStream
			.concat(isScalar ? LongStream.of(tensors.size()) : LongStream.of(rows, tensors.size()),
					LongStream.of(inner))
			.toArray();
		ByteBuffer stacked = ByteBuffer.allocate(size);
		List<ByteBuffer> sources = tensors.stream().map(Tensor::contents).toList();
		for (int row = 0; row < rows; row++) {
			long elements = Shape.of(inner).elements();
			for (ByteBuffer source : sources) {
				stacked.put(cut(source, first.dataType(), elements));
			}
		}
		return Tensor.of(first.dataType(), Shape.of(dimensions), stacked.flip());
	}

	// Cuts the next elements off, which for strings differ in length.
	private static ByteBuffer cut(ByteBuffer source, DataType dataType, long elements) {
		int start = source.position();
		for (long i = 0; i < elements; i++) {
			int length = (dataType == DataType.BYTES) ? Integer.BYTES + source.getInt(source.position())
					: dataType.width();
			source.position(source.position() + length);
		}
		return source.slice(start, source.position() - start);
	}

}
