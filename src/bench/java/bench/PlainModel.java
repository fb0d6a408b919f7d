package bench;

import java.util.HashMap;
import java.util.Map;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.OrtSession.SessionOptions;

/**
 * A model with nothing around it, and the tensors of a workload, made once: each call
 * runs on its own thread alone, as this server's do.
 */
record PlainModel(OrtSession session, Map<String, OnnxTensor> inputs) {

	/** What this server's OnnxOptions set besides that matters with one thread. */
	static final Map<String, String> AS_SERVED = Map.of("optimization.disable_specified_optimizers",
			"LayerNormFusionL1;LayerNormFusionL2");

	static OrtSession load(OnnxFile model, Map<String, String> config) throws OrtException {
		try (SessionOptions options = new SessionOptions()) {
			options.setIntraOpNumThreads(1);
			options.setInterOpNumThreads(1);
			for (Map.Entry<String, String> entry : config.entrySet()) {
				options.addConfigEntry(entry.getKey(), entry.getValue());
			}
			return OrtEnvironment.getEnvironment().createSession(model.location(), options);
		}
	}

	static PlainModel of(OrtSession session, Workload workload) throws OrtException {
		Map<String, OnnxTensor> inputs = new HashMap<>();
		for (Input input : workload.inputs()) {
			inputs.put(input.name(), tensor(input));
		}
		return new PlainModel(session, inputs);
	}

	OrtSession.Result run() throws OrtException {
		return this.session.run(this.inputs);
	}

	private static OnnxTensor tensor(Input input) throws OrtException {
		OrtEnvironment environment = OrtEnvironment.getEnvironment();
		return input.isFloats() ? OnnxTensor.createTensor(environment, input.bytes().asFloatBuffer(), input.shape())
				: OnnxTensor.createTensor(environment, input.bytes().asLongBuffer(), input.shape());
	}

}
