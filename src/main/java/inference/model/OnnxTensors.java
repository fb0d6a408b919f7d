package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
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
 * Converts tensors to ONNX Runtime's, and back.
 */
final class OnnxTensors {

	// The alignment of a tensor's memory in bytes, which is the size of a cache line.
	private static final int ALIGNMENT = 64;

	private static final String ELEMENT_TYPE_PREFIX = "ONNX_TENSOR_ELEMENT_DATA_TYPE_";

	private static final Map<String, DataType> DATA_TYPES_BY_ONNX_NAME = Stream.of(DataType.values())
		.collect(Collectors.toMap(OnnxTensors::onnxName, Function.identity()));

	private OnnxTensors() {
	}

	static TensorSpec inputSpec(NodeInfo node) {
		TensorSpec spec = spec("input", node);
		if (inputJavaType(spec.dataType()) == null) {
			throw new IllegalArgumentException(
					"input '%s' is %s, which ONNX Runtime's Java API cannot carry; put a Cast in front of it"
						.formatted(spec.name(), spec.dataType()));
		}
		return spec;
	}

	/**
	 * Copies an input to native memory, because ONNX Runtime reads nothing else.
	 * @param memory the owner of the copy, to be closed after the tensor
	 */
	static OnnxTensor toOnnx(OrtEnvironment environment, String name, Tensor tensor, Arena memory) throws OrtException {
		long[] shape = tensor.shape().dimensions();
		OnnxJavaType type = Objects.requireNonNull(inputJavaType(tensor.dataType()));
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
		long elements = spec.shape().elementCount();
		if (elements > Integer.MAX_VALUE / spec.dataType().width()) {
			throw new InvalidOutputException(
					"it put out %s %s, which is more than 2 GB".formatted(spec.dataType(), spec.shape()));
		}
		ByteBuffer contents = (elements != 0) ? tensor.getByteBuffer() : ByteBuffer.allocate(0);
		return Tensor.of(spec.dataType(), spec.shape(), contents);
	}

	static TensorSpec spec(String what, NodeInfo node) {
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

	/**
	 * The data type for a type of ONNX Runtime; {@code null} if the server has none.
	 */
	static @Nullable DataType dataType(Enum<?> onnxType) {
		return DATA_TYPES_BY_ONNX_NAME.get(onnxType.name().replace(ELEMENT_TYPE_PREFIX, ""));
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

	private static @Nullable OnnxJavaType inputJavaType(DataType dataType) {
		return switch (dataType) {
			case UINT16, UINT32, UINT64 -> null;
			default -> OnnxJavaType.valueOf(onnxName(dataType));
		};
	}

}
