package inference.model;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.RunOptions;
import ai.onnxruntime.OrtSession.SessionOptions;

import org.springframework.context.annotation.Fallback;
import org.springframework.stereotype.Component;

/**
 * A model in an ONNX file, run by ONNX Runtime, with the signature that the file
 * declares. It is served unless a fork brings a {@link Model} of its own.
 * <p>
 * A call's native memory is freed before {@link #infer} returns: inputs are copied from
 * the Java heap, outputs are copied to it. The copy takes about 10 µs per 100 KB, and no
 * native memory waits for a garbage collection.
 */
@Fallback
@Component
public final class OnnxModel implements Model {

	// CUDA's messages for a context that cannot be used any more: every later call fails.
	private static final Pattern LOST_DEVICE = Pattern.compile("illegal memory access|misaligned address"
			+ "|unspecified launch failure|illegal instruction|device-side assert|uncorrectable ECC"
			+ "|hardware stack error|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE|ASSERT)"
			+ "|cudaError(IllegalAddress|LaunchFailure|ECCUncorrectable|Assert)", Pattern.CASE_INSENSITIVE);

	// The options of each running call, by the thread that runs it.
	private final Map<Thread, RunOptions> running = new ConcurrentHashMap<>();

	private final OrtEnvironment environment;

	private final SessionOptions options;

	private final OrtSession session;

	private final Signature signature;

	private final List<Example> examples;

	/**
	 * Loads the model.
	 * @param properties where the file is, and how ONNX Runtime runs it
	 * @throws UnusableModelException if the file is missing, unreadable or not ONNX, if
	 * it takes or gives what ONNX Runtime's Java API cannot carry, or if ONNX Runtime
	 * refuses the device or an option
	 */
	public OnnxModel(ModelProperties properties) {
		ModelFile file = ModelFile.at(properties.location());
		this.environment = OnnxEnvironment.get();
		this.options = OnnxOptions.of(properties);
		try {
			this.session = open(this.environment, file, this.options);
		}
		catch (OrtException | IOException ex) {
			this.options.close();
			throw new UnusableModelException(
					"The model at %s cannot be loaded: %s.".formatted(file, OnnxFailure.text(ex)),
					OnnxFailure.action(ex, this.environment.getVersion()) + suspicion(properties), ex);
		}
		catch (OutOfMemoryError ex) {
			this.options.close();
			throw new UnusableModelException("The model at %s does not fit into the Java heap.".formatted(file),
					"Set INFERENCE_MODEL_LOCATION to a file outside of the jar, which takes no heap, or give the process more memory.",
					ex);
		}
		try {
			this.signature = signature(this.session);
			this.examples = OnnxExamples.read(this.session.getMetadata().getCustomMetadata().get(OnnxExamples.KEY),
					this.signature);
		}
		catch (OrtException | IllegalArgumentException ex) {
			close();
			throw new UnusableModelException("The model at %s cannot be served.".formatted(file),
					"Export it again: %s.".formatted(OnnxFailure.text(ex)), ex);
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
		try {
			return run(inputs);
		}
		catch (OrtException ex) {
			// Names, types and shapes are checked before. What is left for ONNX Runtime
			// to
			// call an invalid argument is a value or an inner dimension.
			if (ex.getCode() == OrtErrorCode.ORT_INVALID_ARGUMENT) {
				throw new IllegalArgumentException(OnnxFailure.text(ex), ex);
			}
			if (LOST_DEVICE.matcher(OnnxFailure.text(ex)).find()) {
				throw new DeviceLostException(OnnxFailure.text(ex), ex);
			}
			throw new IllegalStateException(OnnxFailure.text(ex), ex);
		}
	}

	private Map<String, Tensor> run(Map<String, Tensor> inputs) throws OrtException {
		Map<String, OnnxTensor> given = LinkedHashMap.newLinkedHashMap(inputs.size());
		Thread caller = Thread.currentThread();
		try (Arena memory = Arena.ofConfined(); RunOptions call = new RunOptions()) {
			this.running.put(caller, call);
			try {
				for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
					given.put(input.getKey(), OnnxTensors.toOnnx(this.environment, input.getValue(), memory));
				}
				try (OrtSession.Result result = this.session.run(given, call)) {
					return OnnxTensors.fromOnnx(result);
				}
			}
			finally {
				this.running.remove(caller);
				given.values().forEach(OnnxTensor::close);
			}
		}
	}

	@Override
	public void cancel(Thread caller) {
		// The map holds its lock meanwhile, so the call cannot close its options.
		this.running.computeIfPresent(caller, (_, call) -> {
			terminate(call);
			return call;
		});
	}

	private static void terminate(RunOptions call) {
		try {
			call.setTerminate(true);
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime refused to end a call", ex);
		}
	}

	@Override
	public void close() {
		try {
			this.session.close();
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime could not free the model", ex);
		}
		this.options.close();
	}

	// ONNX Runtime finds some unusable options only now, and its message does not always
	// name them.
	private static String suspicion(ModelProperties properties) {
		List<String> config = properties.sessionConfig();
		return config.isEmpty() ? "" : " Or correct inference.model.session-config, which is %s.".formatted(config);
	}

	private static OrtSession open(OrtEnvironment environment, ModelFile file, SessionOptions options)
			throws OrtException, IOException {
		return switch (file) {
			case ModelFile.OnDisk onDisk -> environment.createSession(onDisk.path().toString(), options);
			case ModelFile.OnClasspath onClasspath -> environment.createSession(onClasspath.content(), options);
		};
	}

	private static Signature signature(OrtSession session) throws OrtException {
		List<TensorSpec> inputs = session.getInputInfo().values().stream().map(OnnxTensors::input).toList();
		List<TensorSpec> outputs = session.getOutputInfo().values().stream().map(OnnxTensors::output).toList();
		return new Signature(inputs, outputs);
	}

}
