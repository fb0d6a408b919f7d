package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodHandles.Lookup;
import java.lang.invoke.MethodType;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import ai.onnxruntime.OnnxSequence;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BOOLEAN;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Does what ONNX Runtime's public Java API cannot do, by calling the C API and private
 * members of the Java API.
 * <p>
 * Strings are read and written here byte for byte. The Java API passes them in the JVM's
 * modified UTF-8, which changes characters outside Unicode's basic plane, such as emoji,
 * and bytes that are not UTF-8.
 */
@SuppressWarnings("restricted")
final class OnnxNative {

	private static final VarHandle SESSION_POINTER;

	private static final VarHandle TENSOR_POINTER;

	private static final VarHandle SEQUENCE_POINTER;

	private static final VarHandle SEQUENCE_ALLOCATOR;

	private static final MethodHandle GET_TENSORS;

	private static final long API_POINTER;

	static {
		try {
			Lookup lookup = MethodHandles.privateLookupIn(OrtSession.class, MethodHandles.lookup());
			SESSION_POINTER = lookup.findVarHandle(OrtSession.class, "nativeHandle", long.class);
			TENSOR_POINTER = lookup.findVarHandle(OnnxTensorLike.class, "nativeHandle", long.class);
			lookup = MethodHandles.privateLookupIn(OnnxSequence.class, MethodHandles.lookup());
			SEQUENCE_POINTER = lookup.findVarHandle(OnnxSequence.class, "nativeHandle", long.class);
			SEQUENCE_ALLOCATOR = lookup.findVarHandle(OnnxSequence.class, "allocatorHandle", long.class);
			GET_TENSORS = lookup.findVirtual(OnnxSequence.class, "getTensors",
					MethodType.methodType(OnnxTensor[].class, long.class, long.class, long.class));
			Class<?> runtimeClass = lookup.findClass("ai.onnxruntime.OnnxRuntime");
			API_POINTER = (long) lookup.findStaticVarHandle(runtimeClass, "ortApiHandle", long.class).get();
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException("ONNX Runtime's Java API lacks a private member", ex);
		}
	}

	private static final MethodHandle GET_VALUE = findFunction(80, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);

	private static final MethodHandle RELEASE_VALUE = findFunction(96, FunctionDescriptor.ofVoid(ADDRESS));

	private static final MethodHandle GET_RESIZED_STRING_TENSOR_ELEMENT_BUFFER = findFunction(252, ADDRESS, JAVA_LONG,
			JAVA_LONG, ADDRESS);

	private static final MethodHandle GET_STRING_TENSOR_DATA_LENGTH = findFunction(53, ADDRESS, ADDRESS);

	private static final MethodHandle GET_STRING_TENSOR_ELEMENT_LENGTH = findFunction(127, ADDRESS, JAVA_LONG, ADDRESS);

	// The option allows this function to write to the Java heap.
	private static final MethodHandle GET_STRING_TENSOR_ELEMENT = findFunction(128,
			FunctionDescriptor.of(ADDRESS, ADDRESS, JAVA_LONG, JAVA_LONG, ADDRESS), Linker.Option.critical(true));

	private OnnxNative() {
	}

	/**
	 * The names of the inputs and outputs whose rank the model's file does not declare.
	 * The Java API reports their rank as 0, which is also the rank of a scalar.
	 */
	static Set<String> namesOfUnknownRank(OrtSession session) {
		MethodHandle sessionGetInputTypeInfo = findFunction(33, ADDRESS, JAVA_LONG, ADDRESS);
		MethodHandle sessionGetOutputTypeInfo = findFunction(34, ADDRESS, JAVA_LONG, ADDRESS);
		Set<String> namesOfUnknownRank = new HashSet<>();
		addNamesOfUnknownRank(session, session.getInputNames(), sessionGetInputTypeInfo, namesOfUnknownRank);
		addNamesOfUnknownRank(session, session.getOutputNames(), sessionGetOutputTypeInfo, namesOfUnknownRank);
		return namesOfUnknownRank;
	}

	private static void addNamesOfUnknownRank(OrtSession session, Set<String> names, MethodHandle getTypeInfo,
			Set<String> namesOfUnknownRank) {
		MethodHandle castTypeInfoToTensorInfo = findFunction(55, ADDRESS, ADDRESS);
		MethodHandle releaseTypeInfo = findFunction(98, FunctionDescriptor.ofVoid(ADDRESS));
		MethodHandle tensorTypeAndShapeHasShape = findFunction(390, FunctionDescriptor.of(JAVA_BOOLEAN, ADDRESS));
		MemorySegment sessionPointer = MemorySegment.ofAddress((long) SESSION_POINTER.get(session));
		try (Arena arena = Arena.ofConfined()) {
			MemorySegment resultPointer = arena.allocate(ADDRESS);
			long index = 0;
			for (String name : names) {
				requireOk((MemorySegment) getTypeInfo.invokeExact(sessionPointer, index++, resultPointer));
				MemorySegment typeInfo = resultPointer.get(ADDRESS, 0);
				requireOk((MemorySegment) castTypeInfoToTensorInfo.invokeExact(typeInfo, resultPointer));
				MemorySegment tensorInfo = resultPointer.get(ADDRESS, 0);
				// A sequence has no information about a tensor, so the address is 0.
				if (tensorInfo.address() != 0 && !(boolean) tensorTypeAndShapeHasShape.invokeExact(tensorInfo)) {
					namesOfUnknownRank.add(name);
				}
				releaseTypeInfo.invokeExact(typeInfo);
			}
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not describe the model's inputs and outputs", ex);
		}
	}

	/** Copies a tensor of strings to native memory. The caller closes the copy. */
	static OnnxTensor createStringTensor(OrtEnvironment environment, Tensor tensor) throws OrtException {
		ByteBuffer contents = tensor.contents();
		MemorySegment source = MemorySegment.ofBuffer(contents);
		String[] emptyStrings = new String[Math.toIntExact(tensor.shape().elementCount())];
		Arrays.fill(emptyStrings, "");
		OnnxTensor onnxTensor = OnnxTensor.createTensor(environment, emptyStrings, tensor.shape().dimensions());
		try (Arena arena = Arena.ofConfined()) {
			MemorySegment bufferPointer = arena.allocate(ADDRESS);
			for (long i = 0; i < emptyStrings.length; i++) {
				int length = contents.getInt();
				requireOk((MemorySegment) GET_RESIZED_STRING_TENSOR_ELEMENT_BUFFER.invokeExact(pointer(onnxTensor), i,
						(long) length, bufferPointer));
				MemorySegment string = bufferPointer.get(ADDRESS, 0).reinterpret(length);
				string.copyFrom(source.asSlice(contents.position(), length));
				contents.position(contents.position() + length);
			}
			return onnxTensor;
		}
		catch (Throwable ex) {
			onnxTensor.close();
			throw new IllegalStateException("ONNX Runtime could not copy the strings of an input", ex);
		}
	}

	/**
	 * Copies a tensor of strings to the Java heap. The strings are copied one by one,
	 * because a native copy of all of them would count towards no limit.
	 */
	static Tensor readStringTensor(OnnxTensor onnxTensor, Shape shape) {
		int elementCount = Math.toIntExact(shape.elementCount());
		try (Arena arena = Arena.ofConfined()) {
			MemorySegment lengthSegment = arena.allocate(JAVA_LONG);
			requireOk((MemorySegment) GET_STRING_TENSOR_DATA_LENGTH.invokeExact(pointer(onnxTensor), lengthSegment));
			long byteCount = lengthSegment.get(JAVA_LONG, 0) + (long) Integer.BYTES * elementCount;
			ByteBuffer contents = Tensor.allocate(Math.toIntExact(byteCount));
			for (long i = 0; i < elementCount; i++) {
				requireOk((MemorySegment) GET_STRING_TENSOR_ELEMENT_LENGTH.invokeExact(pointer(onnxTensor), i,
						lengthSegment));
				int length = Math.toIntExact(lengthSegment.get(JAVA_LONG, 0));
				ByteBuffer string = contents.putInt(length).slice(contents.position(), length);
				requireOk((MemorySegment) GET_STRING_TENSOR_ELEMENT.invokeExact(pointer(onnxTensor), (long) length, i,
						MemorySegment.ofBuffer(string)));
				contents.position(contents.position() + length);
			}
			return Tensor.of(DataType.BYTES, shape, contents.flip());
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not return the strings of an output", ex);
		}
	}

	/**
	 * Returns the K keys and the K values of one map in a sequence, as two tensors of
	 * shape [K], which the caller closes. The C API treats a map as a sequence of two
	 * tensors. The public Java API reads all maps at once, which takes twice the memory
	 * and three times as long.
	 */
	static List<OnnxTensor> keysAndValues(OnnxSequence sequence, int mapIndex) {
		MemorySegment sequencePointer = MemorySegment.ofAddress((long) SEQUENCE_POINTER.get(sequence));
		long allocator = (long) SEQUENCE_ALLOCATOR.get(sequence);
		try (Arena arena = Arena.ofConfined()) {
			MemorySegment mapPointer = arena.allocate(ADDRESS);
			requireOk((MemorySegment) GET_VALUE.invokeExact(sequencePointer, mapIndex,
					MemorySegment.ofAddress(allocator), mapPointer));
			MemorySegment map = mapPointer.get(ADDRESS, 0);
			try {
				return List.of((OnnxTensor[]) GET_TENSORS.invokeExact(sequence, API_POINTER, map.address(), allocator));
			}
			finally {
				RELEASE_VALUE.invokeExact(map);
			}
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not return a map", ex);
		}
	}

	private static MemorySegment pointer(OnnxTensor tensor) {
		return MemorySegment.ofAddress((long) TENSOR_POINTER.get(tensor));
	}

	/** Throws an exception with the message of the status if the status is an error. */
	static void requireOk(MemorySegment status) throws Throwable {
		if (status.address() != 0) {
			MethodHandle getErrorMessage = findFunction(2, ADDRESS);
			MethodHandle releaseStatus = findFunction(93, FunctionDescriptor.ofVoid(ADDRESS));
			MemorySegment messageSegment = (MemorySegment) getErrorMessage.invokeExact(status);
			String message = messageSegment.reinterpret(Long.MAX_VALUE).getString(0);
			releaseStatus.invokeExact(status);
			throw new IllegalStateException(message);
		}
	}

	/** Finds a function that returns a status, as most functions of the C API do. */
	static MethodHandle findFunction(int tableIndex, MemoryLayout... argumentLayouts) {
		return findFunction(tableIndex, FunctionDescriptor.of(ADDRESS, argumentLayouts));
	}

	/**
	 * Finds a function of the C API.
	 * @param tableIndex the function's index in the C API's table of functions; later
	 * versions of ONNX Runtime keep the index
	 */
	static MethodHandle findFunction(int tableIndex, FunctionDescriptor descriptor, Linker.Option... options) {
		MemorySegment functionTable = MemorySegment.ofAddress(API_POINTER).reinterpret(Long.MAX_VALUE);
		return Linker.nativeLinker().downcallHandle(functionTable.getAtIndex(ADDRESS, tableIndex), descriptor, options);
	}

}
