package inference.model;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import org.jspecify.annotations.Nullable;

/**
 * The outputs of one call, copied to the Java heap. An output may be a sequence. A
 * sequence of N maps of K values, one map for each row, becomes one tensor [N,K]. A
 * sequence of K tensors of the same shape [N,…] becomes one tensor [N,K,…].
 *
 * @param tensors the outputs by name
 * @param keys the keys of the maps, by the name of the output
 */
record OnnxOutputs(Map<String, Tensor> tensors, Map<String, List<String>> keys) {

	/**
	 * Copies all outputs of a call.
	 * @param signature the model's signature, or {@code null} before it is found
	 * @throws InvalidOutputException if a tensor of numbers is larger than 2 GB, or if
	 * tensors that must be stacked differ in shape
	 */
	static OnnxOutputs read(OrtSession.Result result, @Nullable Signature signature) throws OrtException {
		OnnxOutputs outputs = new OnnxOutputs(LinkedHashMap.newLinkedHashMap(result.size()), new HashMap<>());
		for (Map.Entry<String, OnnxValue> output : result) {
			String name = output.getKey();
			if (output.getValue() instanceof OnnxTensor tensor) {
				outputs.tensors.put(name, OnnxTensors.fromOnnx(tensor));
			}
			else if (output.getValue() instanceof OnnxSequence sequence) {
				outputs.addSequence(name, sequence, signature);
			}
		}
		return outputs;
	}

	/** The declarations of these outputs, each with its shape in this call. */
	List<TensorSpec> specs() {
		return this.tensors.entrySet()
			.stream()
			.map((output) -> new TensorSpec(output.getKey(), output.getValue().dataType(), output.getValue().shape(),
					this.keys.getOrDefault(output.getKey(), List.of())))
			.toList();
	}

	private void addSequence(String name, OnnxSequence sequence, @Nullable Signature signature) throws OrtException {
		TensorSpec spec = (signature != null) ? signature.output(name) : null;
		if (spec != null && sequence.getInfo().length == 0) {
			// ONNX Runtime cannot tell what an empty sequence would contain.
			this.tensors.put(name, Tensor.of(spec.dataType(), spec.shape().withSizes(0, 0), Tensor.allocate(0)));
		}
		else if (sequence.getInfo().isSequenceOfMaps()) {
			addMaps(name, sequence);
		}
		else {
			addTensors(name, copyTensors(sequence), signature);
		}
	}

	// ONNX Runtime orders the keys: numbers ascending, texts by their bytes. Only ZipMap
	// makes sequences of maps. Its maps all have the same keys, and FP32 values. So only
	// the first map's keys are read.
	private void addMaps(String name, OnnxSequence sequence) {
		int mapCount = sequence.getInfo().length;
		List<String> mapKeys = List.of();
		ByteBuffer values = Tensor.allocate(0);
		for (int i = 0; i < mapCount; i++) {
			List<OnnxTensor> keysAndValues = OnnxNative.keysAndValues(sequence, i);
			try {
				if (i == 0) {
					mapKeys = toStrings(OnnxTensors.fromOnnx(keysAndValues.getFirst()));
					values = Tensor.allocate(Math.multiplyExact(mapCount, Float.BYTES * mapKeys.size()));
				}
				values.put(OnnxTensors.fromOnnx(keysAndValues.getLast()).contents());
			}
			finally {
				keysAndValues.forEach(OnnxTensor::close);
			}
		}
		this.keys.put(name, mapKeys);
		this.tensors.put(name, Tensor.of(DataType.FP32, Shape.of(mapCount, mapKeys.size()), values.flip()));
	}

	private static List<String> toStrings(Tensor keys) {
		return (keys.dataType() == DataType.BYTES) ? keys.strings()
				: LongStream.of(keys.longs()).mapToObj(Long::toString).toList();
	}

	// The tensors are stacked into one if the signature has an output of that name.
	// Otherwise they are named name.0, name.1 and so on. Before the signature is found,
	// tensors of the same shape are stacked.
	private void addTensors(String name, List<Tensor> tensors, @Nullable Signature signature) {
		boolean haveEqualShapes = tensors.stream().map(Tensor::shape).distinct().count() == 1;
		boolean isStacked = (signature != null) ? signature.output(name) != null : haveEqualShapes;
		if (!isStacked) {
			for (int i = 0; i < tensors.size(); i++) {
				this.tensors.put("%s.%d".formatted(name, i), tensors.get(i));
			}
			return;
		}
		if (!haveEqualShapes) {
			throw new InvalidOutputException(
					"output '%s' is a sequence of tensors whose shapes differ: %s".formatted(name, tensors));
		}
		this.tensors.put(name, stackTensors(tensors));
	}

	// getValue() copies all tensors of a sequence to memory that no limit covers. So only
	// one call at a time may hold such copies.
	private static synchronized List<Tensor> copyTensors(OnnxSequence sequence) throws OrtException {
		return copyAndClose(sequence.getValue());
	}

	/** Copies tensors to the Java heap, and closes all of them, even if a copy fails. */
	static List<Tensor> copyAndClose(List<? extends OnnxValue> tensors) {
		try {
			return tensors.stream().map((tensor) -> OnnxTensors.fromOnnx((OnnxTensor) tensor)).toList();
		}
		finally {
			tensors.forEach(OnnxValue::close);
		}
	}

	// K tensors [N,…] become [N,K,…], and K scalars become [K].
	private static Tensor stackTensors(List<Tensor> tensors) {
		DataType dataType = tensors.getFirst().dataType();
		Shape shape = tensors.getFirst().shape();
		boolean isScalar = shape.rank() == 0;
		long rowCount = isScalar ? 1 : shape.dimension(0);
		long[] rowDimensions = isScalar ? new long[0] : shape.rowShape().dimensions();
		long elementsPerRow = Shape.of(rowDimensions).elementCount();
		ByteBuffer stacked = Tensor.allocate(Math.toIntExact(Tensor.totalBytes(tensors)));
		List<ByteBuffer> sources = tensors.stream().map(Tensor::contents).toList();
		for (long row = 0; row < rowCount; row++) {
			for (ByteBuffer source : sources) {
				int rowBytes = dataType.byteCount(source, elementsPerRow);
				stacked.put(stacked.position(), source, source.position(), rowBytes);
				stacked.position(stacked.position() + rowBytes);
				source.position(source.position() + rowBytes);
			}
		}
		LongStream outerDimensions = isScalar ? LongStream.of(tensors.size()) : LongStream.of(rowCount, tensors.size());
		long[] stackedDimensions = LongStream.concat(outerDimensions, LongStream.of(rowDimensions)).toArray();
		return Tensor.of(dataType, Shape.of(stackedDimensions), stacked.flip());
	}

}
