package inference.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantReadWriteLock;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.RunOptions;
import ai.onnxruntime.OrtSession.SessionOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.context.annotation.Fallback;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.io.FileSystemResource;
import org.springframework.core.io.Resource;
import org.springframework.stereotype.Component;
import org.springframework.util.function.ThrowingBiFunction;

/**
 * A model in an ONNX file, run by ONNX Runtime. The signature is found while the file is
 * loaded. This model is served unless the application has another {@link Model}.
 * <p>
 * {@link #infer} copies inputs to native memory and outputs from native memory, and frees
 * this memory before it returns, so that native memory never waits for a garbage
 * collection. A copy takes 10 to 30 µs per 100 KB.
 */
@Fallback
@Component
public final class OnnxModel implements Model {

	private static final int MAX_WAIT_FOR_MEMORY_SECONDS = 2;

	// cancel() finds the options of a running call by the thread that runs the call.
	private final Map<Thread, RunOptions> runOptionsByThread = new ConcurrentHashMap<>();

	// Calls that run at the same time hold the read lock. A call that needs all memory
	// holds the write lock.
	private final ReentrantReadWriteLock memoryLock = new ReentrantReadWriteLock();

	private final OrtEnvironment environment;

	private final SessionOptions sessionOptions;

	private final OrtSession session;

	private final Signature signature;

	private final List<Example> examples;

	/**
	 * Loads the model.
	 * @throws UnusableModelException if the file or an option cannot be used
	 */
	public OnnxModel(ModelProperties properties) {
		Resource file = OnnxSetup.findFile(properties.location());
		String path = (file instanceof FileSystemResource diskFile) ? diskFile.getPath() : null;
		String location = (path != null) ? path : properties.location();
		try {
			this.environment = OnnxSetup.environment();
			this.sessionOptions = OnnxSetup.sessionOptions(properties);
			OnnxMemory.limitCallMemory(this.environment, this.sessionOptions, file);
			// ONNX Runtime finds files with weights beside the model only if it gets the
			// model's path.
			this.session = (path != null) ? this.environment.createSession(path, this.sessionOptions)
					: this.environment.createSession(file.getContentAsByteArray(), this.sessionOptions);
		}
		catch (OrtException | IOException ex) {
			throw new UnusableModelException(
					"The model at %s cannot be loaded: %s.".formatted(location, OnnxFailure.cleanMessage(ex)),
					OnnxFailure.loadRemedy(ex, properties.sessionConfig()), ex);
		}
		catch (OutOfMemoryError ex) {
			throw new UnusableModelException("The model at %s does not fit into the Java heap.".formatted(location),
					"Set INFERENCE_MODEL_LOCATION to a file outside of the jar, which takes no heap, or give the process more memory.",
					null);
		}
		try {
			String examplesJson = this.session.getMetadata().getCustomMetadataValue(Example.METADATA_KEY).orElse("[]");
			this.signature = new OnnxSignatureFinder((inputs) -> run(inputs, null).specs(), examplesJson,
					OnnxNative.namesOfUnknownRank(this.session))
				.find(this.session.getInputInfo().values(), this.session.getOutputInfo().values());
			this.examples = Example.read(examplesJson, this.signature);
		}
		catch (OrtException | IllegalArgumentException ex) {
			String problem = OnnxFailure.signatureProblem(ex, this.session);
			close();
			throw new UnusableModelException("The model at %s cannot be served.".formatted(location),
					"Export it again: %s.".formatted(problem), ex);
		}
	}

	@Override
	public Signature signature() {
		return this.signature;
	}

	@Override
	public List<Example> examples() {
		return this.examples;
	}

	@Override
	public String platform() {
		return "onnxruntime_onnx";
	}

	@Override
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		// TopK, LSTM and other operators of ONNX Runtime end the process if they get no
		// elements, so the model is not run without rows.
		Map<String, Tensor> emptyOutputsIfNoRows = this.signature.emptyOutputsIfNoRows(inputs);
		return (emptyOutputsIfNoRows != null) ? emptyOutputsIfNoRows : run(inputs, this.signature).tensors();
	}

	private OnnxOutputs run(Map<String, Tensor> inputs, @Nullable Signature signature) {
		Map<String, OnnxTensor> onnxInputs = LinkedHashMap.newLinkedHashMap(inputs.size());
		Thread caller = Thread.currentThread();
		try (Arena arena = Arena.ofConfined(); RunOptions runOptions = new RunOptions()) {
			// A failed run throws an exception. By default, ONNX Runtime would also write
			// the failure to stderr, and clients could flood stderr with unusable inputs.
			runOptions.setLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL);
			this.runOptionsByThread.put(caller, runOptions);
			try {
				for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
					onnxInputs.put(input.getKey(), OnnxTensors.toOnnx(this.environment, input.getValue(), arena));
				}
				return runAndRetryAlone(onnxInputs, runOptions, signature);
			}
			finally {
				this.runOptionsByThread.remove(caller);
				onnxInputs.values().forEach(OnnxTensor::close);
			}
		}
		catch (OrtException ex) {
			throw OnnxFailure.callException(ex);
		}
	}

	// A call may fail because other calls hold the memory, and ONNX Runtime does not
	// tell. So each call that lacks memory waits for the end of the others, and runs once
	// more alone.
	private OnnxOutputs runAndRetryAlone(Map<String, OnnxTensor> inputs, RunOptions runOptions,
			@Nullable Signature signature) throws OrtException {
		OrtException arenaFailure;
		this.memoryLock.readLock().lock();
		try {
			return runSession(inputs, runOptions, signature);
		}
		catch (OrtException ex) {
			if (!OnnxFailure.isArenaFull(ex)) {
				throw ex;
			}
			arenaFailure = ex;
		}
		finally {
			this.memoryLock.readLock().unlock();
		}
		if (!tryLockAllMemory()) {
			throw new InsufficientMemoryException(OnnxFailure.cleanMessage(arenaFailure), arenaFailure, true);
		}
		try {
			return runSession(inputs, runOptions, signature);
		}
		finally {
			this.memoryLock.writeLock().unlock();
		}
	}

	// While this call waits, no other call can begin. A running call may hang, so the
	// wait has a limit.
	private boolean tryLockAllMemory() {
		try {
			return this.memoryLock.writeLock().tryLock(MAX_WAIT_FOR_MEMORY_SECONDS, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return false;
		}
	}

	private OnnxOutputs runSession(Map<String, OnnxTensor> inputs, RunOptions runOptions, @Nullable Signature signature)
			throws OrtException {
		try (OrtSession.Result result = this.session.run(inputs, runOptions)) {
			return OnnxOutputs.read(result, signature);
		}
		catch (RuntimeException | OutOfMemoryError ex) {
			// If an array for an output does not fit into the heap, it is not allocated.
			// So the heap still has memory for other requests. OnnxNative wraps the
			// error.
			if (NestedExceptionUtils.getMostSpecificCause(ex) instanceof OutOfMemoryError) {
				throw new InsufficientMemoryException("The outputs do not fit into the heap", ex);
			}
			throw ex;
		}
	}

	@Override
	public void cancel(Thread caller) {
		// The map locks the entry while this function runs, and run() removes the entry
		// before it closes the options. So the options are still open here.
		this.runOptionsByThread.computeIfPresent(caller, ThrowingBiFunction.of((_, runOptions) -> {
			runOptions.setTerminate(true);
			return runOptions;
		}));
	}

	@Override
	public void close() {
		try {
			this.session.close();
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime could not free the model", ex);
		}
		this.sessionOptions.close();
	}

}
