package inference.model;

import java.util.List;

/**
 * What a model says of itself.
 *
 * @param signature the tensors it takes and gives
 * @param platform its format, as Open Inference Protocol metadata names it
 * @param examples its golden examples, perhaps none
 */
public record ModelMetadata(Signature signature, String platform, List<Example> examples) {

	public static ModelMetadata of(Model model) {
		return new ModelMetadata(model.signature(), model.platform(), model.examples());
	}

}
