package inference.model;

import java.io.IOException;
import java.io.InputStream;

import ai.onnx.proto.OnnxMl.ModelProto;

import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * The model of the template, which a fork replaces.
 */
public final class BundledModel {

	private BundledModel() {
	}

	/**
	 * Skips the test if the model has been replaced.
	 * @return the model
	 */
	public static byte[] assumeBundled() throws IOException {
		try (InputStream resource = BundledModel.class.getResourceAsStream("/model.onnx")) {
			byte[] model = (resource != null) ? resource.readAllBytes() : new byte[0];
			assumeThat(ModelProto.parseFrom(model).getGraph().getName())
				.as("graph of the bundled model.onnx; this test covers only that model")
				.isEqualTo("iris");
			return model;
		}
	}

}
