package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxSequence;
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
 */
final class OnnxTensors {

	// The alignment of a tensor's memory in bytes, which is the size of a cache line.
	private static final int ALIGNMENT = 64;

	private static final String ELEMENT_TYPE_PREFIX = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

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
	static OnnxTensor toOnnx(OrtEnvironment environment, String name, Tensor tensor, Arena memory) throws OrtException {
		long[] shape = tensor.shape().dimensions();
		OnnxJavaType type = inputType(tensor.dataType());
		if (type == null) {
			throw new IllegalArgumentException("%s cannot be an input".formatted(tensor.dataType()));
		}
		if (type == OnnxJavaType.STRING) {
			return OnnxStrings.toOnnx(environment, name, tensor, memory);
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
	static Map<String, Tensor> fromOnnx(OrtSession.Result result, Signature signature) throws OrtException {
		Map<String, Tensor> tensors = LinkedHashMap.newLinkedHashMap(result.size());
		for (Map.Entry<String, OnnxValue> output : result) {
			String name = output.getKey();
			if (output.getValue() instanceof OnnxTensor tensor) {
				tensors.put(name, fromOnnx(tensor));
				continue;
			}
			OnnxSequence sequence = (OnnxSequence) output.getValue();
			TensorSpec spec = signature.output(name);
			if (spec != null && sequence.getInfo().isSequenceOfMaps()) {
				tensors.put(name, OnnxSequences.toTable(spec, OnnxSequences.readMaps(sequence)));
			}
			else {
				tensors.putAll(OnnxSequences.tensors(name, sequence, signature));
			}
		}
		return tensors;
	}

	static Tensor fromOnnx(OnnxTensor tensor) throws OrtException {
		TensorSpec spec = spec("output", "", tensor.getInfo());
		if (spec.dataType() == DataType.BYTES) {
			return OnnxStrings.fromOnnx(tensor, spec.shape());
		}
		long elements = spec.shape().elements();
		if (elements > Integer.MAX_VALUE / spec.dataType().width()) {
			throw new InvalidOutputException(
					"it put out %s %s, which is more than 2 GB".formatted(spec.dataType(), spec.shape()));
		}
		ByteBuffer contents = (elements != 0) ? tensor.getByteBuffer() : ByteBuffer.allocate(0);
		return Tensor.of(spec.dataType(), spec.shape(), contents);
	}

	private static TensorSpec spec(String what, NodeInfo node) {
		if (node.getInfo() instanceof TensorInfo info) {
			return spec(what, node.getName(), info);
		}
		throw new IllegalArgumentException("%s '%s' is not a tensor but %s; export the model with tensors only"
			.formatted(what, node.getName(), node.getInfo().getClass().getSimpleName()));
	}

	static TensorSpec spec(String what, String name, TensorInfo info) {
		DataType dataType = dataType(info.onnxType);
		if (dataType == null) {
			String type = info.onnxType.name().replace(ELEMENT_TYPE_PREFIX, "");
			throw new IllegalArgumentException(
					"%s '%s' has the unsupported element type %s".formatted(what, name, type.equals("UNDEFINED")
							? "INT4, UINT4 or another that ONNX Runtime's Java API does not know" : type));
		}
		return new TensorSpec(name, dataType, Shape.of(info.getShape()));
	}

	/** The type of map keys and values. */
	static DataType dataType(OnnxJavaType type) {
		return switch (type) {
			case FLOAT -> DataType.FP32;
			case DOUBLE -> DataType.FP64;
			case STRING -> DataType.BYTES;
			default -> DataType.valueOf(type.name());
		};
	}

	private static @Nullable DataType dataType(OnnxTensorType type) {
		String name = type.name().replace(ELEMENT_TYPE_PREFIX, "");
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
