package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import ai.onnxruntime.TensorInfo.OnnxTensorType;
import org.jspecify.annotations.Nullable;

/**
 * Converts tensors to ONNX Runtime's, and back.
 * <p>
 * ONNX Runtime's Java API passes strings in the JVM's modified UTF-8. It changes
 * characters outside Unicode's basic plane that a model returns, and bytes that are not
 * UTF-8.
 */
final class OnnxTensors {

	// The alignment of a tensor's memory in bytes, which is the size of a cache line.
	private static final int ALIGNMENT = 64;

	private static final String ELEMENT_TYPE = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

	private OnnxTensors() {
	}

	static TensorSpec input(NodeInfo node) {
		TensorSpec spec = spec("input", node);
		if (inputType(spec.dataType()) == null) {
			throw new IllegalArgumentException(
					"input '%s' is %s, which ONNX Runtime's Java API cannot carry; put a Cast in front of it"
						.formatted(spec.name(), spec.dataType()));
		}
		return spec;
	}

	static TensorSpec output(NodeInfo node) {
		return spec("output", node);
	}

	/**
	 * Copies an input to native memory, because ONNX Runtime reads nothing else.
	 * @param memory the owner of the copy, to be closed after the tensor
	 */
	static OnnxTensor toOnnx(OrtEnvironment environment, Tensor tensor, Arena memory) throws OrtException {
		long[] shape = tensor.shape().dimensions();
		OnnxJavaType type = inputType(tensor.dataType());
		if (type == null) {
			throw new IllegalArgumentException("%s cannot be an input".formatted(tensor.dataType()));
		}
		if (type == OnnxJavaType.STRING) {
			return OnnxTensor.createTensor(environment, tensor.strings().toArray(String[]::new), shape);
		}
		ByteBuffer contents = tensor.contents();
		ByteBuffer copy = memory.allocate(contents.remaining(), ALIGNMENT)
			.asByteBuffer()
			.order(ByteOrder.nativeOrder())
			.put(contents)
			.flip();
		return OnnxTensor.createTensor(environment, copy, shape, type);
	}

	/** Copies all outputs of a call to the Java heap. */
	static Map<String, Tensor> fromOnnx(OrtSession.Result result) throws OrtException {
		Map<String, Tensor> tensors = LinkedHashMap.newLinkedHashMap(result.size());
		for (Map.Entry<String, OnnxValue> output : result) {
			tensors.put(output.getKey(), fromOnnx((OnnxTensor) output.getValue()));
		}
		return tensors;
	}

	private static Tensor fromOnnx(OnnxTensor tensor) throws OrtException {
		TensorInfo info = tensor.getInfo();
		DataType dataType = dataType(info.onnxType);
		Shape shape = Shape.of(info.getShape());
		if (dataType == null) {
			throw new IllegalStateException("ONNX Runtime returned %s".formatted(info));
		}
		if (dataType == DataType.BYTES) {
			return Tensor.ofStrings(shape, strings(tensor));
		}
		ByteBuffer contents = (shape.elements() != 0) ? tensor.getByteBuffer() : ByteBuffer.allocate(0);
		return Tensor.of(dataType, shape, contents);
	}

	private static List<String> strings(OnnxTensor tensor) throws OrtException {
		if (tensor.getInfo().isScalar()) {
			return List.of((String) tensor.getValue());
		}
		return Arrays.asList(flatten(tensor.getValue()));
	}

	private static String[] flatten(Object nested) {
		if (nested instanceof String[] strings) {
			return strings;
		}
		return Arrays.stream((Object[]) nested)
			.flatMap((inner) -> Arrays.stream(flatten(inner)))
			.toArray(String[]::new);
	}

	private static TensorSpec spec(String what, NodeInfo node) {
		if (!(node.getInfo() instanceof TensorInfo info)) {
			throw new IllegalArgumentException(
					"%s '%s' is not a tensor but %s; export the model with tensors only (scikit-learn: zipmap=False)"
						.formatted(what, node.getName(), node.getInfo().getClass().getSimpleName()));
		}
		DataType dataType = dataType(info.onnxType);
		if (dataType == null) {
			throw new IllegalArgumentException("%s '%s' has the unsupported element type %s".formatted(what,
					node.getName(), info.onnxType.name().replace(ELEMENT_TYPE, "")));
		}
		return new TensorSpec(node.getName(), dataType, Shape.of(info.getShape()));
	}

	private static @Nullable DataType dataType(OnnxTensorType type) {
		String name = type.name().replace(ELEMENT_TYPE, "");
		return switch (name) {
			case "FLOAT16" -> DataType.FP16;
			case "BFLOAT16" -> DataType.BF16;
			case "FLOAT" -> DataType.FP32;
			case "DOUBLE" -> DataType.FP64;
			case "STRING" -> DataType.BYTES;
			case "BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64" ->
				DataType.valueOf(name);
			default -> null;
		};
	}

	private static @Nullable OnnxJavaType inputType(DataType dataType) {
		return switch (dataType) {
			case BOOL, UINT8, INT8, INT16, INT32, INT64 -> OnnxJavaType.valueOf(dataType.name());
			case FP16 -> OnnxJavaType.FLOAT16;
			case BF16 -> OnnxJavaType.BFLOAT16;
			case FP32 -> OnnxJavaType.FLOAT;
			case FP64 -> OnnxJavaType.DOUBLE;
			case BYTES -> OnnxJavaType.STRING;
			case UINT16, UINT32, UINT64 -> null;
		};
	}

}
