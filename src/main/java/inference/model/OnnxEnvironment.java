package inference.model;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;

/**
 * ONNX Runtime's environment, of which a process has one.
 * <p>
 * From 1.29 on, ONNX Runtime on Linux reports to its maker unless {@value #SWITCH} is set
 * in the environment, and while it looks for what to report it crashes on a command line
 * of more than 4 kB, such as Maven's. So the variable is set here, where it is missing,
 * before the first native call.
 */
final class OnnxEnvironment {

	static final String SWITCH = "ORT_DISABLE_TELEMETRY";

	private OnnxEnvironment() {
	}

	static OrtEnvironment get() {
		if (System.getenv(SWITCH) == null) {
			Linker linker = Linker.nativeLinker();
			linker.defaultLookup().find("setenv").ifPresent((setenv) -> set(linker, setenv));
		}
		OrtEnvironment environment = load();
		try {
			environment.setTelemetry(false);
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime refused to be without telemetry", ex);
		}
		return environment;
	}

	private static OrtEnvironment load() {
		try {
			return OrtEnvironment.getEnvironment();
		}
		catch (LinkageError ex) {
			throw new UnusableModelException("ONNX Runtime cannot be loaded: %s.".formatted(ex.getMessage()),
					action(String.valueOf(ex.getMessage())), ex);
		}
	}

	/**
	 * What to do when the native libraries, which it unpacks unless they are on disk, do
	 * not link.
	 */
	static String action(String message) {
		if (message.contains("failed to map segment")) {
			return "Mount %s without noexec, or name another directory in the environment: JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=..."
				.formatted(System.getProperty("java.io.tmpdir"));
		}
		if (message.contains("java.library.path")) {
			return "Give it 40 MB to unpack itself in %s, and a CPU it is built for: amd64, or arm64."
				.formatted(System.getProperty("java.io.tmpdir"));
		}
		return "On Linux it needs glibc 2.28 and libstdc++: build the image on another base with -Djib.from.image.";
	}

	// Java reads the environment but cannot change it.
	@SuppressWarnings("restricted")
	private static void set(Linker linker, MemorySegment setenv) {
		MethodHandle handle = linker.downcallHandle(setenv, FunctionDescriptor.of(ValueLayout.JAVA_INT,
				ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT));
		try (Arena arena = Arena.ofConfined()) {
			int failed = (int) handle.invokeExact(arena.allocateFrom(SWITCH), arena.allocateFrom("1"), 1);
			if (failed != 0) {
				throw new IllegalStateException("%s could not be set".formatted(SWITCH));
			}
		}
		catch (Throwable ex) {
			throw new IllegalStateException("%s could not be set".formatted(SWITCH), ex);
		}
	}

}
