package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.stream.LongStream;

import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;

/**
 * The maps in a sequence that a model puts out. They are read one by one through the C
 * API, which treats a map as a sequence of two tensors. ONNX Runtime's Java API reads all
 * maps at once, so the call takes twice the memory and three times as long.
 *
 * @param keys the keys of each map
 * @param values a tensor with one row for each map, in the order of the keys
 */
record OnnxMaps(List<String> keys, Tensor values) {

	private static final VarHandle SEQUENCE_POINTER;

	private static final VarHandle SEQUENCE_ALLOCATOR;

	private static final MethodHandle GET_TENSORS;

	static {
		try {
			Lookup lookup = MethodHandles.privateLookupIn(OnnxSequence.class, MethodHandles.lookup());
			SEQUENCE_POINTER = lookup.findVarHandle(OnnxSequence.class, "nativeHandle", long.class);
			SEQUENCE_ALLOCATOR = lookup.findVarHandle(OnnxSequence.class, "allocatorHandle", long.class);
			GET_TENSORS = lookup.findVirtual(OnnxSequence.class, "getTensors",
					MethodType.methodType(OnnxTensor[].class, long.class, long.class, long.class));
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException("ONNX Runtime's Java API lacks a private member", ex);
		}
	}

	private static final MethodHandle GET_VALUE = OnnxNative.findFunction(80, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);

	private static final MethodHandle RELEASE_VALUE = OnnxNative.findFunction(96, FunctionDescriptor.ofVoid(ADDRESS));

	/**
	 * Reads the maps of a sequence that is not empty. Keys come in ONNX Runtime's order:
	 * numbers ascending, texts by their bytes. The keys are read from the first map only,
	 * because ZipMap, the only operator that makes maps, gives each map the same keys.
	 * Its values are always FP32.
	 */
	static OnnxMaps read(OnnxSequence sequence) {
		int mapCount = sequence.getInfo().length;
		List<String> keys = List.of();
		ByteBuffer values = Tensor.allocate(0);
		for (int i = 0; i < mapCount; i++) {
			List<OnnxTensor> keysAndValues = keysAndValues(sequence, i);
			try {
				if (i == 0) {
					keys = toStrings(OnnxTensors.fromOnnx(keysAndValues.getFirst()));
					values = Tensor.allocate(Math.multiplyExact(mapCount, Float.BYTES * keys.size()));
				}
				ByteBuffer row = OnnxTensors.fromOnnx(keysAndValues.getLast()).contents();
				if (row.remaining() != Float.BYTES * keys.size()) {
					throw new InvalidOutputException("it put out maps of different keys");
				}
				values.put(row);
			}
			finally {
				keysAndValues.forEach(OnnxTensor::close);
			}
		}
		return new OnnxMaps(keys, Tensor.of(DataType.FP32, Shape.of(mapCount, keys.size()), values.flip()));
	}

	/**
	 * The values as a tensor [N,K], for N maps of K keys.
	 * @throws InvalidOutputException if the maps do not have the keys of the
	 * specification
	 */
	Tensor toTensor(TensorSpec spec) {
		if (!this.keys.equals(spec.keys())) {
			throw new InvalidOutputException("output '%s' has a row with the keys %s instead of %s"
				.formatted(spec.name(), this.keys, spec.keys()));
		}
		return this.values;
	}

	private static List<String> toStrings(Tensor keys) {
		return (keys.dataType() == DataType.BYTES) ? keys.strings()
				: LongStream.of(keys.longs()).mapToObj(Long::toString).toList();
	}

	// Returns the K keys and the K values of one map, as two tensors of shape [K], which
	// the caller closes.
	private static List<OnnxTensor> keysAndValues(OnnxSequence sequence, int mapIndex) {
		MemorySegment sequencePointer = MemorySegment.ofAddress((long) SEQUENCE_POINTER.get(sequence));
		long allocator = (long) SEQUENCE_ALLOCATOR.get(sequence);
		try (Arena arena = Arena.ofConfined()) {
			MemorySegment mapPointer = arena.allocate(ADDRESS);
			OnnxNative.requireOk((MemorySegment) GET_VALUE.invokeExact(sequencePointer, mapIndex,
					MemorySegment.ofAddress(allocator), mapPointer));
			MemorySegment map = mapPointer.get(ADDRESS, 0);
			try {
				return List.of((OnnxTensor[]) GET_TENSORS.invokeExact(sequence, OnnxNative.API_POINTER, map.address(),
						allocator));
			}
			finally {
				RELEASE_VALUE.invokeExact(map);
			}
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not give a map", ex);
		}
	}

}
