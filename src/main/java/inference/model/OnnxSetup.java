package inference.model;

import java.io.FileNotFoundException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession.SessionOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;
import org.springframework.util.ResourceUtils;
import org.springframework.util.function.ThrowingConsumer;

/**
 * Prepares what ONNX Runtime needs to load a model: its environment, the session options
 * and the file.
 */
final class OnnxSetup {

	private static final Logger logger = LoggerFactory.getLogger(OnnxSetup.class);

	private static final String TELEMETRY_VARIABLE = "ORT_DISABLE_TELEMETRY";

	private static final String NO_FILE_REMEDY = "Copy or mount an ONNX file there, or set INFERENCE_MODEL_LOCATION to where it is.";

	private OnnxSetup() {
	}

	/**
	 * The process's only ONNX Runtime environment, with telemetry disabled.
	 * <p>
	 * Since ONNX Runtime 1.29, telemetry is on by default. Telemetry crashes the process
	 * if its command line is longer than 4 kB, as when Maven starts the process. Only an
	 * environment variable that is set before ONNX Runtime is loaded prevents the crash.
	 * @throws UnusableModelException if the native libraries cannot be loaded
	 */
	static OrtEnvironment environment() throws OrtException {
		if (System.getenv(TELEMETRY_VARIABLE) == null) {
			findCFunction("setenv", ValueLayout.ADDRESS, ValueLayout.ADDRESS, ValueLayout.JAVA_INT)
				.ifPresent(OnnxSetup::disableTelemetry);
		}
		try {
			// ONNX Runtime throws errors as exceptions. By default it also writes them to
			// stderr, which clients could flood.
			OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
			environment.setTelemetry(false);
			return environment;
		}
		catch (LinkageError ex) {
			String reason = String.valueOf(NestedExceptionUtils.getMostSpecificCause(ex).getMessage());
			throw new UnusableModelException("ONNX Runtime cannot be loaded: %s.".formatted(reason), linkRemedy(reason),
					ex);
		}
	}

	/**
	 * Finds a function of the C library that returns an int. The result is empty if the
	 * library lacks the function, as on Windows.
	 */
	@SuppressWarnings("restricted")
	static Optional<MethodHandle> findCFunction(String name, MemoryLayout... argumentLayouts) {
		Linker linker = Linker.nativeLinker();
		FunctionDescriptor descriptor = FunctionDescriptor.of(ValueLayout.JAVA_INT, argumentLayouts);
		return linker.defaultLookup().find(name).map((function) -> linker.downcallHandle(function, descriptor));
	}

	// Java cannot change environment variables, so this method calls C's setenv.
	private static void disableTelemetry(MethodHandle setenv) {
		try (Arena arena = Arena.ofConfined()) {
			int _ = (int) setenv.invokeExact(arena.allocateFrom(TELEMETRY_VARIABLE), arena.allocateFrom("1"), 1);
		}
		catch (Throwable ex) {
			throw new IllegalStateException("%s could not be set".formatted(TELEMETRY_VARIABLE), ex);
		}
	}

	/** Tells what to do if the native libraries of ONNX Runtime cannot be linked. */
	static String linkRemedy(String message) {
		if (message.contains("failed to map segment")) {
			return "Mount %s without noexec, or name another directory in the environment: JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=..."
				.formatted(System.getProperty("java.io.tmpdir"));
		}
		if (message.contains("java.library.path")) {
			return "Give it 40 MB in %s, where it unpacks its libraries, and a CPU for which it is built: amd64 or arm64."
				.formatted(System.getProperty("java.io.tmpdir"));
		}
		return "On Linux it needs glibc 2.28 and libstdc++: build the image on another base with -Djib.from.image.";
	}

	/**
	 * The session options for a model. The caller closes the options after the session.
	 * @throws UnusableModelException if ONNX Runtime refuses an entry, library or device
	 */
	static SessionOptions sessionOptions(ModelProperties properties) throws OrtException {
		SessionOptions options = new SessionOptions();
		// By default ONNX Runtime starts a thread for each core of the host, although the
		// container may have fewer CPUs.
		options.setIntraOpNumThreads(properties.threads());
		options.setInterOpNumThreads(1);
		// ONNX Runtime warns of an output whose shape is not as declared, and repeats the
		// warning in each call. The level ERROR hides the warning.
		options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
		addConfigEntries(options, properties);
		for (String libraryPath : properties.customOperators()) {
			applyOption(options, (sessionOptions) -> sessionOptions.registerCustomOpLibrary(libraryPath),
					"The library %s cannot be used".formatted(libraryPath),
					"Set inference.model.custom-operators to libraries of operators that are built for this system.");
		}
		String device = properties.device();
		if (!device.equals("cpu")) {
			int deviceId = device.equals("cuda") ? 0 : Integer.parseInt(device.substring("cuda:".length()));
			applyOption(options, (sessionOptions) -> sessionOptions.addCUDA(deviceId),
					"The device %s cannot be used".formatted(device),
					"Build with -Donnxruntime.artifact=onnxruntime_gpu and run where CUDA and a GPU are, or set INFERENCE_MODEL_DEVICE to cpu.");
		}
		return options;
	}

	private static void addConfigEntries(SessionOptions options, ModelProperties properties) {
		Map<String, String> entries = new TreeMap<>();
		// By default ONNX Runtime's idle threads spin and take CPU time from other calls.
		entries.put("session.intra_op.allow_spinning", "0");
		entries.put("session.inter_op.allow_spinning", "0");
		// Calls use the environment's arena, whose size is limited. Weights would count
		// towards the limit, so they are kept outside of the arena.
		entries.put("session.use_env_allocators", "1");
		entries.put("session.use_device_allocator_for_initializers", "1");
		for (String entry : properties.sessionConfig()) {
			int separatorIndex = entry.indexOf('=');
			entries.put(entry.substring(0, separatorIndex), entry.substring(separatorIndex + 1));
		}
		logger.debug("ONNX Runtime's session configuration: {}", entries);
		entries.forEach((key, value) -> applyOption(options,
				(sessionOptions) -> sessionOptions.addConfigEntry(key, value),
				"ONNX Runtime refuses the option %.100s".formatted(key), "Correct inference.model.session-config."));
	}

	private static void applyOption(SessionOptions options, ThrowingConsumer<SessionOptions> setting, String problem,
			String action) {
		setting.accept(options,
				(_, ex) -> new UnusableModelException("%s: %s.".formatted(problem, OnnxFailure.cleanMessage(ex)),
						action, ex));
	}

	/**
	 * Finds the model's file.
	 * @param location {@code classpath:<resource>}, or the path or URL of a file or of a
	 * directory that contains {@code model.onnx}
	 * @return a class path resource or a readable file
	 * @throws UnusableModelException if there is no such file or it cannot be read
	 */
	static Resource findFile(String location) {
		if (location.startsWith("classpath:")) {
			Resource resource = new ClassPathResource(location.substring("classpath:".length()));
			if (!resource.exists()) {
				throw new UnusableModelException("There is no model at %s.".formatted(location), NO_FILE_REMEDY, null);
			}
			return resource;
		}
		Path path = modelPath(location);
		if (Files.notExists(path)) {
			throw new UnusableModelException("There is no model at %s.".formatted(path), NO_FILE_REMEDY, null);
		}
		if (!Files.isRegularFile(path) || !Files.isReadable(path)) {
			throw new UnusableModelException("The model at %s cannot be read.".formatted(path),
					"Make it a file that user %s may read, in a directory that this user may enter."
						.formatted(System.getProperty("user.name")),
					null);
		}
		return new FileSystemResource(path);
	}

	private static Path modelPath(String location) {
		try {
			Path path = ResourceUtils.getFile(location).toPath().toAbsolutePath().normalize();
			return Files.isDirectory(path) ? path.resolve("model.onnx") : path;
		}
		catch (InvalidPathException | FileNotFoundException ex) {
			throw new UnusableModelException(
					"The model location '%s' is neither a path nor the URL of a file.".formatted(location),
					"Set INFERENCE_MODEL_LOCATION to the path of an ONNX file.", ex);
		}
	}

}
