package inference.model;

import java.util.List;

/**
 * The description of a loaded model.
 *
 * @param signature its inputs and outputs
 * @param platform its platform in Open Inference Protocol metadata
 * @param examples its golden examples, possibly none
 */
public record ModelMetadata(Signature signature, String platform, List<Example> examples) {

	public static ModelMetadata of(Model model) {
		return new ModelMetadata(model.signature(), model.platform(), model.examples());
	}

}
