package inference.model;

import java.util.HashMap;
import java.util.Map;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;

/**
 * How ONNX Runtime is told to run a model.
 */
final class OnnxOptions {

	static final String DISABLED_OPTIMIZERS = "optimization.disable_specified_optimizers";

	// Left alone, ONNX Runtime spins on the CPUs while it waits for work.
	private static final Map<String, String> QUIET = Map.of("session.intra_op.allow_spinning", "0",
			"session.inter_op.allow_spinning", "0");

	// Of ONNX Runtime 1.29 on a CPU, the fused operator takes one element after the other
	// and a division for each: four times as long as the operators it is fused of.
	private static final Map<String, String> UNFUSED = Map.of(DISABLED_OPTIMIZERS,
			"LayerNormFusionL1;LayerNormFusionL2");

	private OnnxOptions() {
	}

	/**
	 * The options for a model, to be closed after its session.
	 * @throws UnusableModelException if an entry or the device cannot be used
	 */
	static SessionOptions of(ModelProperties properties) {
		SessionOptions options = new SessionOptions();
		try {
			// Left alone, ONNX Runtime counts the host's cores, not the container's.
			options.setIntraOpNumThreads(properties.threads());
			options.setInterOpNumThreads(1);
			for (Map.Entry<String, String> entry : config(properties).entrySet()) {
				options.addConfigEntry(entry.getKey(), entry.getValue());
			}
		}
		catch (OrtException ex) {
			options.close();
			throw new UnusableModelException("ONNX Runtime refuses its options: %s.".formatted(OnnxFailure.text(ex)),
					"Correct INFERENCE_MODEL_SESSIONCONFIG.", ex);
		}
		if (!isCpu(properties)) {
			addGpu(options, properties.device());
		}
		return options;
	}

	private static Map<String, String> config(ModelProperties properties) {
		Map<String, String> config = new HashMap<>(QUIET);
		if (isCpu(properties)) {
			config.putAll(UNFUSED);
		}
		for (String entry : properties.sessionConfig()) {
			int equals = entry.indexOf('=');
			config.put(entry.substring(0, equals), entry.substring(equals + 1));
		}
		return config;
	}

	private static boolean isCpu(ModelProperties properties) {
		return properties.device().equals("cpu");
	}

	private static void addGpu(SessionOptions options, String device) {
		int colon = device.indexOf(':');
		try {
			options.addCUDA((colon < 0) ? 0 : Integer.parseInt(device.substring(colon + 1)));
		}
		catch (OrtException ex) {
			options.close();
			throw new UnusableModelException(
					"The device %s cannot be used: %s.".formatted(device, OnnxFailure.text(ex)),
					"Build with -Donnxruntime.artifact=onnxruntime_gpu and run where CUDA and a GPU are, or set INFERENCE_MODEL_DEVICE to cpu.",
					ex);
		}
	}

}
