package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.LongStream;

import ai.onnxruntime.MapInfo;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxMap;
import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import org.jspecify.annotations.Nullable;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

/**
 * Converts outputs that are ONNX sequences to tensors. A sequence of maps, one for each
 * row, is a tensor [N,K] of the maps' values. A sequence of K tensors [N,…] of one shape
 * is one tensor [N,K,…].
 */
@SuppressWarnings("restricted")
final class OnnxSequences {

	// The positions of functions in the C API's table.
	private static final int GET_TENSOR_MUTABLE_DATA = 51;

	private static final int GET_VALUE = 80;

	private static final int RELEASE_VALUE = 96;

	private static final MethodHandle DATA_FUNCTION = OnnxNative.findFunction(GET_TENSOR_MUTABLE_DATA, ADDRESS, ADDRESS,
			ADDRESS);

	private static final MethodHandle VALUE_FUNCTION = OnnxNative.findFunction(GET_VALUE, ADDRESS, ADDRESS, JAVA_INT,
			ADDRESS, ADDRESS);

	private static final MethodHandle RELEASE_FUNCTION = OnnxNative.findFunction(RELEASE_VALUE, null, ADDRESS);

	private static final VarHandle MAP_POINTER_FIELD = OnnxNative.pointerField(OnnxMap.class);

	private static final MemorySegment ALLOCATOR = OnnxNative.allocator();

	// The two parts of a map in the C API.
	private static final int MAP_KEYS = 0;

	private static final int MAP_VALUES = 1;

	private OnnxSequences() {
	}

	/**
	 * Reads each map's keys, and a tensor of its values. The keys are in ONNX Runtime's
	 * order: numbers ascending, texts by their bytes.
	 */
	static List<MapRow> readMaps(OnnxSequence sequence) throws OrtException {
		List<MapRow> rows = new ArrayList<>();
		for (OnnxValue element : sequence.getValue()) {
			try (OnnxMap map = (OnnxMap) element) {
				MapInfo info = map.getInfo();
				Tensor keys = tensor(map, MAP_KEYS, info.keyType);
				List<String> names = (keys.dataType() == DataType.BYTES) ? keys.strings()
						: LongStream.of(keys.longs()).mapToObj(Long::toString).toList();
				rows.add(new MapRow(names, tensor(map, MAP_VALUES, info.valueType)));
			}
		}
		return rows;
	}

	// The keys or the values of a map as a tensor [K].
	private static Tensor tensor(OnnxMap map, int part, OnnxJavaType type) {
		DataType dataType = Objects.requireNonNull(OnnxTensors.dataType(type));
		Shape shape = Shape.of(map.size());
		try (Arena memory = Arena.ofConfined()) {
			MemorySegment result = memory.allocate(ADDRESS);
			MemorySegment owner = MemorySegment.ofAddress((long) MAP_POINTER_FIELD.get(map));
			OnnxNative.requireOk((MemorySegment) VALUE_FUNCTION.invokeExact(owner, part, ALLOCATOR, result));
			MemorySegment tensor = result.get(ADDRESS, 0);
			try {
				if (dataType == DataType.BYTES) {
					return OnnxStrings.fromOnnx(tensor, shape);
				}
				OnnxNative.requireOk((MemorySegment) DATA_FUNCTION.invokeExact(tensor, result));
				long bytes = shape.elementCount() * dataType.width();
				byte[] contents = result.get(ADDRESS, 0).reinterpret(bytes).toArray(ValueLayout.JAVA_BYTE);
				return Tensor.of(dataType, shape, ByteBuffer.wrap(contents));
			}
			finally {
				RELEASE_FUNCTION.invokeExact(tensor);
			}
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not give a map", ex);
		}
	}

	/** A map, as a row of a tensor. */
	record MapRow(List<String> keys, Tensor values) {
	}

	/**
	 * The tensors of a sequence, stacked under the sequence's name. Tensors that are not
	 * stacked get names of their own: {@code name.0}, {@code name.1} and so on.
	 * @param signature the model's outputs. Tensors are stacked if an output has the
	 * sequence's name. If there is no signature yet, they are stacked if their shapes are
	 * equal
	 * @throws InvalidOutputException if the tensors do not fit the signature
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
				throw new InvalidOutputException(
						"output '%s' is a sequence of tensors whose shapes differ: %s".formatted(name, tensors));
			}
			return Map.of(name, stackTensors(tensors));
		}
		Map<String, Tensor> named = new LinkedHashMap<>();
		tensors.forEach((tensor) -> named.put("%s.%d".formatted(name, named.size()), tensor));
		return named;
	}

	/**
	 * The values of maps as a tensor [N,K].
	 * @param spec the output, with the keys
	 * @throws InvalidOutputException if a map has other keys
	 */
	static Tensor toTable(TensorSpec spec, List<MapRow> rows) {
		for (MapRow row : rows) {
			if (!row.keys().equals(spec.keys())) {
				throw new InvalidOutputException("output '%s' has a row with the keys %s instead of %s"
					.formatted(spec.name(), row.keys(), spec.keys()));
			}
		}
		return Tensor.join(spec.dataType(), Shape.of(rows.size(), spec.keys().size()),
				rows.stream().map(MapRow::values).toList());
	}

	// K tensors [N,…] become [N,K,…], and K scalars become [K].
	private static Tensor stackTensors(List<Tensor> tensors) {
		DataType dataType = tensors.getFirst().dataType();
		long[] each = tensors.getFirst().shape().dimensions();
		long rows = LongStream.of(each).findFirst().orElse(1);
		long rowElements = LongStream.of(each).skip(1).reduce(1, (left, right) -> left * right);
		ByteBuffer stacked = ByteBuffer.allocate(Math.toIntExact(Tensor.totalBytes(tensors)));
		List<ByteBuffer> sources = tensors.stream().map(Tensor::contents).toList();
		for (long row = 0; row < rows; row++) {
			for (ByteBuffer source : sources) {
				int bytes = dataType.byteCount(source, rowElements);
				stacked.put(source.slice(source.position(), bytes));
				source.position(source.position() + bytes);
			}
		}
		LongStream inner = LongStream.concat(LongStream.of(tensors.size()), LongStream.of(each).skip(1));
		long[] dimensions = LongStream.concat(LongStream.of(each).limit(1), inner).toArray();
		return Tensor.of(dataType, Shape.of(dimensions), stacked.flip());
	}

}
