package inference.model;

import java.util.Map;
import java.util.TreeMap;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How ONNX Runtime is told to run a model.
 */
final class OnnxOptions {

	private static final Logger logger = LoggerFactory.getLogger(OnnxOptions.class);

	// Left alone, it spins while it waits for work, on CPUs that other calls need.
	private static final Map<String, String> QUIET = Map.of("session.intra_op.allow_spinning", "0",
			"session.inter_op.allow_spinning", "0");

	// ONNX Runtime 1.29's kernel for a whole layer normalization on a CPU divides once
	// more for each element, one after the other. In the parts that it is fused of
	// otherwise, it takes a quarter of the time.
	private static final Map<String, String> LAYER_NORMALIZATION_IN_PARTS = Map
		.of("optimization.disable_specified_optimizers", "LayerNormFusionL1;LayerNormFusionL2");

	private OnnxOptions() {
	}

	/**
	 * The options for a model, to be closed after its session.
	 * @throws UnusableModelException if ONNX Runtime refuses an entry, or the device
	 */
	static SessionOptions of(ModelProperties properties) {
		Map<String, String> config = config(properties);
		SessionOptions options = new SessionOptions();
		boolean complete = false;
		try {
			// Left alone, ONNX Runtime counts the host's cores, not the container's.
			options.setIntraOpNumThreads(properties.threads());
			options.setInterOpNumThreads(1);
			config.forEach((key, value) -> add(options, key, value));
			if (!isCpu(properties)) {
				addGpu(options, properties.device());
			}
			complete = true;
			return options;
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime refused its options", ex);
		}
		finally {
			if (!complete) {
				options.close();
			}
		}
	}

	private static Map<String, String> config(ModelProperties properties) {
		Map<String, String> config = new TreeMap<>(QUIET);
		if (isCpu(properties)) {
			config.putAll(LAYER_NORMALIZATION_IN_PARTS);
		}
		if (!properties.sessionConfig().isEmpty()) {
			for (String entry : properties.sessionConfig()) {
				int equals = entry.indexOf('=');
				config.put(entry.substring(0, equals), entry.substring(equals + 1));
			}
			logger.info("ONNX Runtime's session configuration: {}", config);
		}
		return config;
	}

	private static boolean isCpu(ModelProperties properties) {
		return properties.device().equals("cpu");
	}

	private static void add(SessionOptions options, String key, String value) {
		try {
			options.addConfigEntry(key, value);
		}
		catch (OrtException ex) {
			throw new UnusableModelException(
					"ONNX Runtime refuses the option %.100s: %s.".formatted(key, OnnxFailure.text(ex)),
					"Correct inference.model.session-config.", ex);
		}
	}

	private static void addGpu(SessionOptions options, String device) {
		int colon = device.indexOf(':');
		try {
			options.addCUDA((colon < 0) ? 0 : Integer.parseInt(device.substring(colon + 1)));
		}
		catch (OrtException ex) {
			throw new UnusableModelException(
					"The device %s cannot be used: %s.".formatted(device, OnnxFailure.text(ex)),
					"Build with -Donnxruntime.artifact=onnxruntime_gpu and run where CUDA and a GPU are, or set INFERENCE_MODEL_DEVICE to cpu.",
					ex);
		}
	}

}
