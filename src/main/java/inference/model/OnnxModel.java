package inference.model;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Pattern;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.context.annotation.Fallback;
import org.springframework.stereotype.Component;

/**
 * A model in an ONNX file, run by ONNX Runtime, with the signature the file declares.
 * Served unless a fork brings a {@link Model} of its own.
 */
@Fallback
@Component
public final class OnnxModel implements Model {

	private static final Logger logger = LoggerFactory.getLogger(OnnxModel.class);

	// What it says of memory for an output of another shape than the model declares
	private static final Pattern OTHER_SHAPE = Pattern.compile("OrtValue provided for output .* has shape");

	// What CUDA says when its context is beyond use: every later call fails the same way.
	private static final Pattern LOST_DEVICE = Pattern.compile("illegal memory access|misaligned address"
			+ "|unspecified launch failure|illegal instruction|device-side assert|uncorrectable ECC"
			+ "|hardware stack error|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE|ASSERT)"
			+ "|cudaError(IllegalAddress|LaunchFailure|ECCUncorrectable|Assert)", Pattern.CASE_INSENSITIVE);

	// No more than ever ran at once, and there for the next ones
	private final List<OnnxCall> calls = new CopyOnWriteArrayList<>();

	private final OrtEnvironment environment;

	private final SessionOptions options;

	private final OrtSession session;

	private final Signature signature;

	private final List<Example> examples;

	private volatile OnnxOutputs outputs;

	/**
	 * Loads the model.
	 * @param properties where it is
	 * @throws UnusableModelException if the file is missing, unreadable, not ONNX, or
	 * takes or gives what is not a tensor ONNX Runtime's Java API can carry, or if ONNX
	 * Runtime refuses the device or its options
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
			this.outputs = OnnxOutputs.of(this.session);
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
		OnnxOutputs expected = this.outputs;
		try {
			return run(inputs, expected);
		}
		catch (OrtException ex) {
			if (expected.haveMemory() && OTHER_SHAPE.matcher(OnnxFailure.text(ex)).find()) {
				logger.warn("Outputs are copied from now on, for the model declares other shapes: {}",
						OnnxFailure.text(ex));
				this.outputs = expected.withoutMemory();
				return infer(inputs);
			}
			// The names, types and shapes were checked, so what ONNX Runtime calls an
			// invalid argument is a value or an inner dimension this model cannot use.
			if (ex.getCode() == OrtErrorCode.ORT_INVALID_ARGUMENT) {
				throw new IllegalArgumentException(OnnxFailure.text(ex), ex);
			}
			if (LOST_DEVICE.matcher(OnnxFailure.text(ex)).find()) {
				throw new DeviceLostException(OnnxFailure.text(ex), ex);
			}
			throw new IllegalStateException(OnnxFailure.text(ex), ex);
		}
	}

	private Map<String, Tensor> run(Map<String, Tensor> inputs, OnnxOutputs outputs) throws OrtException {
		OnnxCall call = enter();
		try {
			return call.run(this.session, outputs, inputs);
		}
		finally {
			call.exit();
		}
	}

	private OnnxCall enter() throws OrtException {
		for (OnnxCall call : this.calls) {
			if (call.enter()) {
				return call;
			}
		}
		OnnxCall call = new OnnxCall(this.environment);
		call.enter();
		this.calls.add(call);
		return call;
	}

	@Override
	public void cancel(Thread caller) {
		this.calls.forEach((call) -> call.terminate(caller));
	}

	@Override
	public void close() {
		this.calls.forEach(OnnxCall::close);
		try {
			this.session.close();
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime could not free the model", ex);
		}
		this.options.close();
	}

	// Of some options it finds only here that it cannot use them, and not always says so.
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
