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
 * Translates tensors of this server to those of ONNX Runtime, and back.
 * <p>
 * ONNX Runtime's Java API carries strings in the JVM's modified UTF-8. Strings that a
 * model puts out are garbled outside Unicode's basic plane, and bytes that are not UTF-8
 * do not reach a model unchanged.
 */
final class OnnxTensors {

	// Alignment of a tensor's memory in bytes, a cache line.
	private static final int ALIGNMENT = 64;

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
	 * A tensor for ONNX Runtime to read.
	 * @param memory where the contents are copied to, because ONNX Runtime reads only
	 * native memory; to be closed after the tensor
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
					node.getName(), info.onnxType.name().replace("ONNX_TENSOR_ELEMENT_DATA_TYPE_", "")));
		}
		return new TensorSpec(node.getName(), dataType, Shape.of(info.getShape()));
	}

	private static @Nullable DataType dataType(OnnxTensorType type) {
		return switch (type) {
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_BOOL -> DataType.BOOL;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> DataType.UINT8;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT16 -> DataType.UINT16;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT32 -> DataType.UINT32;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT64 -> DataType.UINT64;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT8 -> DataType.INT8;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT16 -> DataType.INT16;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> DataType.INT32;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> DataType.INT64;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> DataType.FP16;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_BFLOAT16 -> DataType.BF16;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> DataType.FP32;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_DOUBLE -> DataType.FP64;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_STRING -> DataType.BYTES;
			case ONNX_TENSOR_ELEMENT_DATA_TYPE_UNDEFINED, ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX64,
					ONNX_TENSOR_ELEMENT_DATA_TYPE_COMPLEX128, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FN,
					ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E4M3FNUZ, ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2,
					ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT8E5M2FNUZ ->
				null;
		};
	}

	private static @Nullable OnnxJavaType inputType(DataType dataType) {
		return switch (dataType) {
			case BOOL -> OnnxJavaType.BOOL;
			case UINT8 -> OnnxJavaType.UINT8;
			case INT8 -> OnnxJavaType.INT8;
			case INT16 -> OnnxJavaType.INT16;
			case INT32 -> OnnxJavaType.INT32;
			case INT64 -> OnnxJavaType.INT64;
			case FP16 -> OnnxJavaType.FLOAT16;
			case BF16 -> OnnxJavaType.BFLOAT16;
			case FP32 -> OnnxJavaType.FLOAT;
			case FP64 -> OnnxJavaType.DOUBLE;
			case BYTES -> OnnxJavaType.STRING;
			case UINT16, UINT32, UINT64 -> null;
		};
	}

}
