package inference.model;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.SessionOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The options with which ONNX Runtime runs a model.
 */
final class OnnxOptions {

	private static final Logger logger = LoggerFactory.getLogger(OnnxOptions.class);

	// By default its threads spin while they wait for work, on CPUs that other calls
	// need.
	private static final Map<String, String> NO_SPINNING = Map.of("session.intra_op.allow_spinning", "0",
			"session.inter_op.allow_spinning", "0");

	private OnnxOptions() {
	}

	/**
	 * The options for a model, to be closed after its session.
	 * @throws UnusableModelException if ONNX Runtime refuses an entry or the device
	 */
	static SessionOptions of(ModelProperties properties) {
		SessionOptions options = new SessionOptions();
		try {
			// By default ONNX Runtime counts the host's cores, not the container's.
			options.setIntraOpNumThreads(properties.threads());
			options.setInterOpNumThreads(1);
			config(properties.sessionConfig()).forEach((key, value) -> add(options, key, value));
			if (!properties.device().equals("cpu")) {
				addGpu(options, properties.device());
			}
			return options;
		}
		catch (OrtException ex) {
			options.close();
			throw new IllegalStateException("ONNX Runtime refused its options", ex);
		}
		catch (UnusableModelException ex) {
			options.close();
			throw ex;
		}
	}

	private static Map<String, String> config(List<String> entries) {
		Map<String, String> config = new TreeMap<>(NO_SPINNING);
		for (String entry : entries) {
			int equals = entry.indexOf('=');
			config.put(entry.substring(0, equals), entry.substring(equals + 1));
		}
		logger.debug("ONNX Runtime's session configuration: {}", config);
		return config;
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
