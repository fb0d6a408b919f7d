package inference.model;

import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.management.ManagementFactory;
import java.util.stream.Stream;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import com.sun.management.OperatingSystemMXBean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

/**
 * Limits the native memory that ONNX Runtime takes for the tensors of running calls. A
 * call that needs more memory fails. Without the limit, one request with many rows would
 * exceed the memory limit of the container, and the platform would kill the process.
 */
final class OnnxMemory {

	private static final Logger logger = LoggerFactory.getLogger(OnnxMemory.class);

	// The JVM takes this memory in addition to its heap, for classes, code and buffers.
	private static final long JVM_NON_HEAP_BYTES = 96L << 20;

	// With more CPUs, the JVM starts more threads, most of them for its compilers.
	private static final long JVM_BYTES_PER_CPU = 16L << 20;

	// 1/16 of the memory is left for copies of inputs and for ONNX Runtime's own data.
	private static final int RESERVE_DIVISOR = 16;

	// A quantised model takes this many times the size of its file. Models in FP16 and
	// tree ensembles take more.
	private static final double MODEL_BYTES_PER_FILE_BYTE = 1.5;

	// The calls get at least 1/8 of the memory. If the model leaves less, the process may
	// be killed.
	private static final int MIN_LIMIT_DIVISOR = 8;

	// If the calls can take at most this much, memory is saved at the cost of time. So
	// ONNX Runtime's memory patterns are switched off. With patterns, MiniLM is 4 %
	// faster, but the second call with the same shapes takes 1.5 times the memory.
	private static final long SAVE_MEMORY_UP_TO_BYTES = 1L << 30;

	// A large first chunk is less fragmented than many small ones. But ONNX Runtime
	// writes its own data to 1/32 of a new chunk, so the size is limited.
	private static final long MAX_FIRST_CHUNK_BYTES = 256L << 20;

	// OrtArenaAllocator of the C API.
	private static final int ARENA_ALLOCATOR = 1;

	// OrtMemTypeDefault of the C API.
	private static final int DEFAULT_MEMORY_TYPE = 0;

	// In an arena's configuration, this number means ONNX Runtime's default.
	private static final int USE_DEFAULT = -1;

	// M_MMAP_THRESHOLD of the C library's mallopt().
	private static final int MMAP_THRESHOLD_OPTION = -3;

	private static final int MMAP_THRESHOLD_BYTES = 1 << 20;

	private OnnxMemory() {
	}

	/**
	 * Limits the memory that all running calls take together. Call it before the session
	 * is created.
	 */
	static void limitCallMemory(OrtEnvironment environment, SessionOptions options, Resource modelFile)
			throws OrtException, IOException {
		// This size is the container's memory limit if there is one.
		long totalBytes = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
		long limitBytes = limitBytes(totalBytes, Runtime.getRuntime().maxMemory(),
				Runtime.getRuntime().availableProcessors(), fileBytes(modelFile));
		logger.info("All running calls together can take {} MB of native memory", limitBytes >> 20);
		registerArena(environment, limitBytes);
		if (limitBytes <= SAVE_MEMORY_UP_TO_BYTES) {
			options.setMemoryPatternOptimization(false);
			OnnxSetup.findCFunction("mallopt", JAVA_INT, JAVA_INT).ifPresent(OnnxMemory::setMmapThreshold);
		}
	}

	/**
	 * The total memory without that of the JVM, the model and the reserve, but at least
	 * an eighth of the total.
	 */
	static long limitBytes(long totalBytes, long heapBytes, int cpuCount, long fileBytes) {
		long jvmBytes = heapBytes + JVM_NON_HEAP_BYTES + cpuCount * JVM_BYTES_PER_CPU;
		long modelBytes = (long) (MODEL_BYTES_PER_FILE_BYTE * fileBytes);
		long freeBytes = totalBytes - totalBytes / RESERVE_DIVISOR - jvmBytes - modelBytes;
		return Math.max(freeBytes, totalBytes / MIN_LIMIT_DIVISOR);
	}

	// By default, the C library keeps freed blocks of up to 32 MB. ONNX Runtime allocates
	// large texts and some copies outside of its arena, so freed blocks would add up.
	// With this threshold, the library returns freed blocks of 1 MB or more at once. But
	// it takes about three times as long to copy an input of this size.
	private static void setMmapThreshold(MethodHandle mallopt) {
		try {
			int _ = (int) mallopt.invokeExact(MMAP_THRESHOLD_OPTION, MMAP_THRESHOLD_BYTES);
		}
		catch (Throwable ex) {
			throw new IllegalStateException("The C library could not be told to return large blocks", ex);
		}
	}

	// Creates the arena of all sessions by the C API, because the Java API cannot limit
	// an arena. The numbers are indexes in the C API's table of functions.
	private static void registerArena(OrtEnvironment environment, long limitBytes) {
		MethodHandle createCpuMemoryInfo = OnnxNative.findFunction(69, JAVA_INT, JAVA_INT, ADDRESS);
		MethodHandle releaseMemoryInfo = OnnxNative.findFunction(94, FunctionDescriptor.ofVoid(ADDRESS));
		MethodHandle createAndRegisterAllocator = OnnxNative.findFunction(144, ADDRESS, ADDRESS, ADDRESS);
		MethodHandle createArenaCfg = OnnxNative.findFunction(156, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS);
		MethodHandle releaseArenaCfg = OnnxNative.findFunction(157, FunctionDescriptor.ofVoid(ADDRESS));
		try (Arena arena = Arena.ofConfined()) {
			long environmentPointer = (long) MethodHandles.privateLookupIn(OrtEnvironment.class, MethodHandles.lookup())
				.findVarHandle(OrtEnvironment.class, "nativeHandle", long.class)
				.get(environment);
			MemorySegment resultPointer = arena.allocate(ADDRESS);
			OnnxNative.requireOk((MemorySegment) createCpuMemoryInfo.invokeExact(ARENA_ALLOCATOR, DEFAULT_MEMORY_TYPE,
					resultPointer));
			MemorySegment memoryInfo = resultPointer.get(ADDRESS, 0);
			OnnxNative.requireOk((MemorySegment) createArenaCfg.invokeExact(limitBytes, USE_DEFAULT,
					(int) Math.min(limitBytes, MAX_FIRST_CHUNK_BYTES), USE_DEFAULT, resultPointer));
			MemorySegment arenaConfiguration = resultPointer.get(ADDRESS, 0);
			OnnxNative.requireOk((MemorySegment) createAndRegisterAllocator
				.invokeExact(MemorySegment.ofAddress(environmentPointer), memoryInfo, arenaConfiguration));
			releaseMemoryInfo.invokeExact(memoryInfo);
			releaseArenaCfg.invokeExact(arenaConfiguration);
		}
		catch (Throwable ex) {
			throw new IllegalStateException("ONNX Runtime's memory could not be limited", ex);
		}
	}

	// Exporters write weights to files such as model.onnx_data and model.onnx.data. The
	// length of a file that does not exist is 0.
	private static long fileBytes(Resource modelFile) throws IOException {
		if (!(modelFile instanceof FileSystemResource diskFile)) {
			return modelFile.contentLength();
		}
		return Stream.of("", "_data", ".data")
			.mapToLong((suffix) -> new File(diskFile.getPath() + suffix).length())
			.sum();
	}

}
