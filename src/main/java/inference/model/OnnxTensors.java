package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.TensorInfo.OnnxTensorType;

/**
 * Converts tensors to and from those of ONNX Runtime, and reads the declarations of a
 * model's inputs and outputs.
 */
final class OnnxTensors {

	// The native memory of an input is aligned like the memory that ONNX Runtime
	// allocates, at multiples of 64 bytes.
	private static final int ALIGNMENT_BYTES = 64;

	private static final String ELEMENT_TYPE_PREFIX = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

	private static final Map<OnnxTensorType, DataType> DATA_TYPES_BY_ONNX_TYPE = Stream.of(DataType.values())
		.collect(Collectors.toMap((dataType) -> OnnxTensorType.valueOf(ELEMENT_TYPE_PREFIX + onnxName(dataType)),
				Function.identity()));

	private OnnxTensors() {
	}

	static TensorSpec inputSpec(NodeInfo node) {
		TensorSpec spec = declaredSpec("input", node);
		return switch (spec.dataType()) {
			case UINT16, UINT32, UINT64 -> throw new IllegalArgumentException(
					"input '%s' is %s, which ONNX Runtime's Java API cannot carry; declare another type and cast it inside the model"
						.formatted(spec.name(), spec.dataType()));
			default -> spec;
		};
	}

	static TensorSpec declaredSpec(String inputOrOutput, NodeInfo node) {
		if (!(node.getInfo() instanceof TensorInfo info)) {
			throw new IllegalArgumentException("%s '%s' is not a tensor but %s; export the model with tensors only"
				.formatted(inputOrOutput, node.getName(), node.getInfo().getClass().getSimpleName()));
		}
		DataType dataType = DATA_TYPES_BY_ONNX_TYPE.get(info.onnxType);
		if (dataType == null) {
			String elementType = (info.onnxType == OnnxTensorType.ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED)
					? "INT4, UINT4 or another that ONNX Runtime's Java API does not know"
					: info.onnxType.name().replace(ELEMENT_TYPE_PREFIX, "");
			throw new IllegalArgumentException("%s '%s' has the unsupported element type %s".formatted(inputOrOutput,
					node.getName(), elementType));
		}
		return new TensorSpec(node.getName(), dataType, Shape.of(info.getShape()));
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
	 * @param arena the owner of the copy, unless the tensor is BYTES. The caller closes
	 * it after the tensor
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

	/** Copies an output to the Java heap. */
	static Tensor fromOnnx(OnnxTensor tensor) {
		TensorInfo info = tensor.getInfo();
		DataType dataType = Objects.requireNonNull(DATA_TYPES_BY_ONNX_TYPE.get(info.onnxType));
		Shape shape = Shape.of(info.getShape());
		if (dataType == DataType.BYTES) {
			return OnnxNative.readStringTensor(tensor, shape);
		}
		long elementCount = shape.elementCount();
		if (elementCount > Integer.MAX_VALUE / dataType.width()) {
			throw new InvalidOutputException("it put out %s %s, which is more than 2 GB".formatted(dataType, shape));
		}
		ByteBuffer contents = (elementCount != 0) ? tensor.getByteBuffer() : ByteBuffer.allocate(0);
		return Tensor.of(dataType, shape, contents);
	}

}
