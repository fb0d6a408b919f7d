package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;

import ai.onnxruntime.OrtSession;
import org.jspecify.annotations.Nullable;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Calls functions of ONNX Runtime's C API, for what its Java API cannot do.
 */
@SuppressWarnings("restricted")
final class OnnxNative {

	// The positions of functions in the C API's table, which no later version changes.
	private static final int GET_ERROR_MESSAGE = 2;

	private static final int SESSION_GET_OVERRIDABLE_INITIALIZER_COUNT = 32;

	private static final int SESSION_GET_OVERRIDABLE_INITIALIZER_NAME = 38;

	private static final int ALLOCATOR_FREE = 76;

	private static final int GET_ALLOCATOR_WITH_DEFAULT_OPTIONS = 78;

	private static final int RELEASE_STATUS = 93;

	private static final int FUNCTION_COUNT = 97;

	private static final MemorySegment FUNCTIONS = findApi();

	private OnnxNative() {
	}

	/** The names of the inputs that have a value in the file. */
	static List<String> inputsWithValue(OrtSession session) {
		List<String> names = new ArrayList<>();
		try (Arena memory = Arena.ofConfined()) {
			MemorySegment owner = MemorySegment.ofAddress((long) pointerField(OrtSession.class).get(session));
			MemorySegment result = memory.allocate(ADDRESS);
			MethodHandle count = findFunction(SESSION_GET_OVERRIDABLE_INITIALIZER_COUNT, ADDRESS, ADDRESS, ADDRESS);
			requireOk((MemorySegment) count.invokeExact(owner, result));
			for (long left = result.get(JAVA_LONG, 0); left > 0; left--) {
				names.add(inputWithValue(owner, names.size(), memory));
			}
			return names;
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime could not name its inputs", ex);
		}
	}

	private static String inputWithValue(MemorySegment session, long index, Arena memory) throws Throwable {
		MethodHandle name = findFunction(SESSION_GET_OVERRIDABLE_INITIALIZER_NAME, ADDRESS, ADDRESS, JAVA_LONG, ADDRESS,
				ADDRESS);
		MethodHandle free = findFunction(ALLOCATOR_FREE, ADDRESS, ADDRESS, ADDRESS);
		MemorySegment result = memory.allocate(ADDRESS);
		MemorySegment allocator = allocator();
		requireOk((MemorySegment) name.invokeExact(session, index, allocator, result));
		MemorySegment text = result.get(ADDRESS, 0);
		String copy = text.reinterpret(Long.MAX_VALUE).getString(0);
		requireOk((MemorySegment) free.invokeExact(allocator, text));
		return copy;
	}

	/** The C API's default allocator, of which there is one. */
	static MemorySegment allocator() {
		MethodHandle get = findFunction(GET_ALLOCATOR_WITH_DEFAULT_OPTIONS, ADDRESS, ADDRESS);
		try (Arena memory = Arena.ofConfined()) {
			MemorySegment result = memory.allocate(ADDRESS);
			requireOk((MemorySegment) get.invokeExact(result));
			return result.get(ADDRESS, 0);
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime has no allocator", ex);
		}
	}

	static void requireOk(MemorySegment status) throws Throwable {
		if (status.address() != 0) {
			MemorySegment message = (MemorySegment) findFunction(GET_ERROR_MESSAGE, ADDRESS, ADDRESS)
				.invokeExact(status);
			String text = message.reinterpret(Long.MAX_VALUE).getString(0);
			findFunction(RELEASE_STATUS, null, ADDRESS).invokeExact(status);
			throw new IllegalStateException(text);
		}
	}

	static MethodHandle findFunction(int index, @Nullable MemoryLayout result, MemoryLayout... arguments) {
		FunctionDescriptor signature = (result != null) ? FunctionDescriptor.of(result, arguments)
				: FunctionDescriptor.ofVoid(arguments);
		return Linker.nativeLinker().downcallHandle(FUNCTIONS.getAtIndex(ADDRESS, index), signature);
	}

	private static MemorySegment findApi() {
		try {
			Linker linker = Linker.nativeLinker();
			MemorySegment getBase = SymbolLookup.loaderLookup().findOrThrow("OrtGetApiBase");
			MemorySegment base = (MemorySegment) linker.downcallHandle(getBase, FunctionDescriptor.of(ADDRESS))
				.invokeExact();
			MethodHandle getApi = linker.downcallHandle(base.reinterpret(ADDRESS.byteSize()).get(ADDRESS, 0),
					FunctionDescriptor.of(ADDRESS, JAVA_INT));
			return ((MemorySegment) getApi.invokeExact(1)).reinterpret(FUNCTION_COUNT * ADDRESS.byteSize());
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime's C API was not found", ex);
		}
	}

	static VarHandle pointerField(Class<?> type) {
		try {
			return MethodHandles.privateLookupIn(type, MethodHandles.lookup())
				.findVarHandle(type, "nativeHandle", long.class);
		}
		catch (ReflectiveOperationException ex) {
			throw new IllegalStateException("ONNX Runtime's Java API has no pointer in its %s".formatted(type), ex);
		}
	}

}
