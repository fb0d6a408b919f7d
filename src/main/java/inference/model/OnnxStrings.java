package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

import ai.onnxruntime.OnnxMap;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import org.jspecify.annotations.Nullable;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Reads and writes tensors of strings, and reads maps, by ONNX Runtime's C API, byte for
 * byte. The Java API passes strings in the JVM's modified UTF-8, which changes characters
 * outside Unicode's basic plane, such as emoji, and bytes that are not UTF-8. It also
 * loses the order of a map's keys.
 */
@SuppressWarnings("restricted")
final class OnnxStrings {

	// The positions of functions in the C API's table, which no later version changes.
	private static final int GET_ERROR_MESSAGE = 2;

	private static final int GET_TENSOR_MUTABLE_DATA = 51;

	private static final int FILL_STRING_TENSOR = 52;

	private static final int GET_STRING_TENSOR_DATA_LENGTH = 53;

	private static final int GET_STRING_TENSOR_CONTENT = 54;

	private static final int GET_ALLOCATOR_WITH_DEFAULT_OPTIONS = 78;

	private static final int GET_VALUE = 80;

	private static final int RELEASE_STATUS = 93;

	private static final int RELEASE_VALUE = 96;

	private static final int FUNCTIONS = 97;

	private static final MemorySegment API = api();

	private static final MethodHandle FILL = function(FILL_STRING_TENSOR, ADDRESS, ADDRESS, ADDRESS, JAVA_LONG);

	private static final MethodHandle LENGTH = function(GET_STRING_TENSOR_DATA_LENGTH, ADDRESS, ADDRESS, ADDRESS);

	private static final MethodHandle CONTENT = function(GET_STRING_TENSOR_CONTENT, ADDRESS, ADDRESS, ADDRESS,
			JAVA_LONG, ADDRESS, JAVA_LONG);

	private static final MethodHandle DATA = function(GET_TENSOR_MUTABLE_DATA, ADDRESS, ADDRESS, ADDRESS);

	private static final MethodHandle ALLOCATOR = function(GET_ALLOCATOR_WITH_DEFAULT_OPTIONS, ADDRESS, ADDRESS);

	private static final MethodHandle VALUE = function(GET_VALUE, ADDRESS, ADDRESS, JAVA_INT, ADDRESS, ADDRESS);

	private static final MethodHandle RELEASE = function(RELEASE_VALUE, null, ADDRESS);

	private static final VarHandle TENSOR = handle(OnnxTensorLike.class);

	private static final VarHandle MAP = handle(OnnxMap.class);

	private OnnxStrings() {
	}

	/**
	 * A tensor of strings for ONNX Runtime to read.
	 * @param name the input, for the message
	 * @param memory the owner of a copy, to be closed after the tensor
	 * @throws IllegalArgumentException if a string has a NUL, which ends a string in C
	 */
	static OnnxTensor toOnnx(OrtEnvironment environment, String name, Tensor tensor, Arena memory) throws OrtException {
		ByteBuffer contents = tensor.contents();
		int count = Math.toIntExact(tensor.shape().elements());
		MemorySegment texts = memory.allocate(contents.remaining());
		MemorySegment pointers = memory.allocate(ADDRESS, count);
		long end = 0;
		for (int i = 0; i < count; i++) {
			byte[] bytes = new byte[contents.getInt()];
			contents.get(bytes);
			for (int at = 0; at < bytes.length; at++) {
				if (bytes[at] == 0) {
					throw new IllegalArgumentException(
							"Input '%s' has the character U+0000 in text %d, after %d bytes. ONNX Runtime's texts end there."
								.formatted(name, i, at));
				}
			}
			pointers.setAtIndex(ADDRESS, i, texts.asSlice(end));
			MemorySegment.copy(bytes, 0, texts, ValueLayout.JAVA_BYTE, end, bytes.length);
			end += bytes.length + 1;
		}
		String[] empty = new String[count];
		Arrays.fill(empty, "");
		OnnxTensor onnx = OnnxTensor.createTensor(environment, empty, tensor.shape().dimensions());
		try {
			check((MemorySegment) FILL.invokeExact(pointer(onnx), pointers, (long) count));
			return onnx;
		}
		catch (Throwable ex) {
			onnx.close();
			throw new IllegalStateException("ONNX Runtime could not read input '%s'".formatted(name), ex);
		}
	}

	/** Copies a tensor of strings to the Java heap. */
	static Tensor fromOnnx(OnnxTensor onnx, Shape shape) {
		return fromOnnx(pointer(onnx), shape);
	}

	private static Tensor fromOnnx(MemorySegment onnx, Shape shape) {
		int count = Math.toIntExact(shape.elements());
		try (Arena memory = Arena.ofConfined()) {
			MemorySegment length = memory.allocate(JAVA_LONG);
			check((MemorySegment) LENGTH.invokeExact(onnx, length));
			long bytes = length.get(JAVA_LONG, 0);
			MemorySegment texts = memory.allocate(bytes);
			MemorySegment starts = memory.allocate(JAVA_LONG, count);
			check((MemorySegment) CONTENT.invokeExact(onnx, texts, bytes, starts, (long) count));
			ByteBuffer contents = ByteBuffer.allocate(Math.toIntExact(bytes + (long) Integer.BYTES * count))
				.order(ByteOrder.LITTLE_ENDIAN);
			for (int i = 0; i < count; i++) {
				long start = starts.getAtIndex(JAVA_LONG, i);
				long end = (i + 1 < count) ? starts.getAtIndex(JAVA_LONG, i + 1) : bytes;
				contents.putInt((int) (end - start)).put(texts.asSlice(start, end - start).asByteBuffer());
			}
			return Tensor.of(DataType.BYTES, shape, contents.flip());
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not give its texts", ex);
		}
	}

	/**
	 * The keys or the values of a map as a tensor [K], in ONNX Runtime's order.
	 * @param part 0 for the keys, 1 for the values
	 */
	static Tensor fromOnnx(OnnxMap map, int part, DataType dataType) {
		Shape shape = Shape.of(map.size());
		try (Arena memory = Arena.ofConfined()) {
			MemorySegment result = memory.allocate(ADDRESS);
			check((MemorySegment) ALLOCATOR.invokeExact(result));
			MemorySegment owner = MemorySegment.ofAddress((long) MAP.get(map));
			check((MemorySegment) VALUE.invokeExact(owner, part, result.get(ADDRESS, 0), result));
			MemorySegment tensor = result.get(ADDRESS, 0);
			try {
				if (dataType == DataType.BYTES) {
					return fromOnnx(tensor, shape);
				}
				check((MemorySegment) DATA.invokeExact(tensor, result));
				long bytes = shape.elements() * dataType.width();
				byte[] contents = result.get(ADDRESS, 0).reinterpret(bytes).toArray(ValueLayout.JAVA_BYTE);
				return Tensor.of(dataType, shape, ByteBuffer.wrap(contents));
			}
			finally {
				RELEASE.invokeExact(tensor);
			}
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not give a map", ex);
		}
	}

	private static MemorySegment pointer(OnnxTensor tensor) {
		return MemorySegment.ofAddress((long) TENSOR.get(tensor));
	}

	private static void check(MemorySegment status) throws Throwable {
		if (status.address() != 0) {
			MemorySegment message = (MemorySegment) function(GET_ERROR_MESSAGE, ADDRESS, ADDRESS).invokeExact(status);
			String text = message.reinterpret(Long.MAX_VALUE).getString(0);
			function(RELEASE_STATUS, null, ADDRESS).invokeExact(status);
			throw new IllegalStateException(text);
		}
	}

	private static MethodHandle function(int index, @Nullable MemoryLayout result, MemoryLayout... arguments) {
		FunctionDescriptor signature = (result != null) ? FunctionDescriptor.of(result, arguments)
				: FunctionDescriptor.ofVoid(arguments);
		return Linker.nativeLinker().downcallHandle(API.getAtIndex(ADDRESS, index), signature);
	}

	private static MemorySegment api() {
		try {
			Linker linker = Linker.nativeLinker();
			MemorySegment getBase = SymbolLookup.loaderLookup().findOrThrow("OrtGetApiBase");
			MemorySegment base = (MemorySegment) linker.downcallHandle(getBase, FunctionDescriptor.of(ADDRESS))
				.invokeExact();
			MethodHandle getApi = linker.downcallHandle(base.reinterpret(ADDRESS.byteSize()).get(ADDRESS, 0),
					FunctionDescriptor.of(ADDRESS, JAVA_INT));
			return ((MemorySegment) getApi.invokeExact(1)).reinterpret(FUNCTIONS * ADDRESS.byteSize());
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime's C API was not found", ex);
		}
	}

	private static VarHandle handle(Class<?> type) {
		try {
			return MethodHandles.privateLookupIn(type, MethodHandles.lookup())
				.findVarHandle(type, "nativeHandle", long.class);
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException("ONNX Runtime's Java API has no pointer in its %s".formatted(type), ex);
		}
	}

}
