package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import org.jspecify.annotations.Nullable;

/**
 * Converts tensors to ONNX Runtime's tensors, and back. An output may also be a sequence.
 * A sequence of N maps of K values, one map for each row, becomes one tensor [N,K]. A
 * sequence of K tensors of the same shape [N,…] becomes one tensor [N,K,…].
 */
final class OnnxTensors {

	// The native memory of an input is aligned like the memory that ONNX Runtime
	// allocates, at multiples of 64 bytes.
	private static final int ALIGNMENT_BYTES = 64;

	private static final String ELEMENT_TYPE_PREFIX = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

	private static final Map<String, DataType> DATA_TYPES_BY_ONNX_NAME = Stream.of(DataType.values())
		.collect(Collectors.toMap(OnnxTensors::onnxName, Function.identity()));

	private OnnxTensors() {
	}

	static TensorSpec inputSpec(NodeInfo node) {
		TensorSpec spec = spec("input", node);
		return switch (spec.dataType()) {
			case UINT16, UINT32, UINT64 -> throw new IllegalArgumentException(
					"input '%s' is %s, which ONNX Runtime's Java API cannot carry; declare another type and cast it inside the model"
						.formatted(spec.name(), spec.dataType()));
			default -> spec;
		};
	}

	static TensorSpec spec(String role, NodeInfo node) {
		if (node.getInfo() instanceof TensorInfo info) {
			return spec(role, node.getName(), info);
		}
		throw new IllegalArgumentException("%s '%s' is not a tensor but %s; export the model with tensors only"
			.formatted(role, node.getName(), node.getInfo().getClass().getSimpleName()));
	}

	static TensorSpec spec(String role, String name, TensorInfo info) {
		String elementType = info.onnxType.name().replace(ELEMENT_TYPE_PREFIX, "");
		DataType dataType = DATA_TYPES_BY_ONNX_NAME.get(elementType);
		if (dataType == null) {
			throw new IllegalArgumentException(
					"%s '%s' has the unsupported element type %s".formatted(role, name, elementType.equals("UNDEFINED")
							? "INT4, UINT4 or another that ONNX Runtime's Java API does not know" : elementType));
		}
		return new TensorSpec(name, dataType, Shape.of(info.getShape()));
	}

	private static String onnxName(DataType dataType) {
		return switch (dataType) {
			case FP16 -> "FLOAT16";
			case BF16 -> "BFLOAT16";
			case FP32 -> "FLOAT";
			case FP64 -> "DOUBLE";
			case BYTES -> "STRING";
			default -> dataType.name();
		};
	}

	/**
	 * Copies an input to native memory, because ONNX Runtime reads only native memory.
	 * @param arena the owner of the copy, which the caller closes after the tensor
	 */
	static OnnxTensor toOnnx(OrtEnvironment environment, Tensor tensor, Arena arena) throws OrtException {
		if (tensor.dataType() == DataType.BYTES) {
			return OnnxNative.createStringTensor(environment, tensor);
		}
		ByteBuffer contents = tensor.contents();
		ByteBuffer copy = arena.allocate(contents.remaining(), ALIGNMENT_BYTES)
			.asByteBuffer()
			.order(ByteOrder.nativeOrder())
			.put(contents)
			.flip();
		OnnxJavaType javaType = OnnxJavaType.valueOf(onnxName(tensor.dataType()));
		return OnnxTensor.createTensor(environment, copy, tensor.shape().dimensions(), javaType);
	}

	/** Copies all outputs of a call to the Java heap. */
	static Map<String, Tensor> fromOnnx(OrtSession.Result result, Signature signature) throws OrtException {
		Map<String, Tensor> tensors = LinkedHashMap.newLinkedHashMap(result.size());
		for (Map.Entry<String, OnnxValue> output : result) {
			String name = output.getKey();
			if (output.getValue() instanceof OnnxTensor tensor) {
				tensors.put(name, fromOnnx(tensor));
			}
			else if (output.getValue() instanceof OnnxSequence sequence) {
				tensors.putAll(fromOnnx(name, sequence, signature));
			}
		}
		return tensors;
	}

	private static Map<String, Tensor> fromOnnx(String name, OnnxSequence sequence, Signature signature)
			throws OrtException {
		TensorSpec spec = signature.output(name);
		// ONNX Runtime cannot tell what an empty sequence would contain.
		if (spec != null && sequence.getInfo().length == 0) {
			return Map.of(name, Tensor.of(spec.dataType(), spec.shape().withSizes(0, 0), ByteBuffer.allocate(0)));
		}
		return sequence.getInfo().isSequenceOfMaps()
				? Map.of(name, OnnxMaps.read(sequence).toTensor(Objects.requireNonNull(spec)))
				: readTensors(name, sequence, signature);
	}

	static Tensor fromOnnx(OnnxTensor tensor) {
		TensorSpec spec = spec("output", "", tensor.getInfo());
		if (spec.dataType() == DataType.BYTES) {
			return OnnxNative.readStringTensor(tensor, spec.shape());
		}
		long elementCount = spec.shape().elementCount();
		if (elementCount > Integer.MAX_VALUE / spec.dataType().width()) {
			throw new InvalidOutputException(
					"it put out %s %s, which is more than 2 GB".formatted(spec.dataType(), spec.shape()));
		}
		ByteBuffer contents = (elementCount != 0) ? tensor.getByteBuffer() : ByteBuffer.allocate(0);
		return Tensor.of(spec.dataType(), spec.shape(), contents);
	}

	// getValue() copies all tensors of a sequence to memory that no limit covers. So only
	// one call at a time may hold such copies.
	private static synchronized List<Tensor> copyTensors(OnnxSequence sequence) throws OrtException {
		return copyAndClose(sequence.getValue());
	}

	/** Copies tensors to the Java heap, and closes all of them, even if a copy fails. */
	static List<Tensor> copyAndClose(List<? extends OnnxValue> tensors) {
		try {
			return tensors.stream().map((tensor) -> fromOnnx((OnnxTensor) tensor)).toList();
		}
		finally {
			tensors.forEach(OnnxValue::close);
		}
	}

	/**
	 * Reads a sequence of tensors. The tensors are either stacked to one tensor with the
	 * sequence's name, or they are named {@code name.0}, {@code name.1} and so on.
	 * @param signature the model's signature, or {@code null} before it is found. With a
	 * signature, the tensors are stacked if it has an output of the sequence's name.
	 * Without one, they are stacked if their shapes are equal
	 * @throws InvalidOutputException if tensors to stack have different shapes
	 */
	static Map<String, Tensor> readTensors(String name, OnnxSequence sequence, @Nullable Signature signature)
			throws OrtException {
		List<Tensor> tensors = copyTensors(sequence);
		boolean haveEqualShapes = tensors.stream().map(Tensor::shape).distinct().count() == 1;
		if ((signature != null) ? signature.output(name) != null : haveEqualShapes) {
			if (!haveEqualShapes) {
				throw new InvalidOutputException(
						"output '%s' is a sequence of tensors whose shapes differ: %s".formatted(name, tensors));
			}
			return Map.of(name, stackTensors(tensors));
		}
		Map<String, Tensor> tensorsByName = new LinkedHashMap<>();
		tensors.forEach((tensor) -> tensorsByName.put("%s.%d".formatted(name, tensorsByName.size()), tensor));
		return tensorsByName;
	}

	// K tensors [N,…] become [N,K,…], and K scalars become [K].
	private static Tensor stackTensors(List<Tensor> tensors) {
		DataType dataType = tensors.getFirst().dataType();
		long[] tensorDimensions = tensors.getFirst().shape().dimensions();
		long rowCount = LongStream.of(tensorDimensions).findFirst().orElse(1);
		long elementsPerRow = LongStream.of(tensorDimensions).skip(1).reduce(1, (left, right) -> left * right);
		ByteBuffer stacked = ByteBuffer.allocate(Math.toIntExact(Tensor.totalBytes(tensors)));
		List<ByteBuffer> sources = tensors.stream().map(Tensor::contents).toList();
		for (long row = 0; row < rowCount; row++) {
			for (ByteBuffer source : sources) {
				int rowBytes = dataType.byteCount(source, elementsPerRow);
				stacked.put(stacked.position(), source, source.position(), rowBytes);
				stacked.position(stacked.position() + rowBytes);
				source.position(source.position() + rowBytes);
			}
		}
		LongStream innerDimensions = LongStream.concat(LongStream.of(tensors.size()),
				LongStream.of(tensorDimensions).skip(1));
		long[] stackedDimensions = LongStream.concat(LongStream.of(tensorDimensions).limit(1), innerDimensions)
			.toArray();
		return Tensor.of(dataType, Shape.of(stackedDimensions), stacked.flip());
	}

}
