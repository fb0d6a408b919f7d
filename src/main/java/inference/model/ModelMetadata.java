package inference.model;

import java.util.List;

/**
 * The description of a loaded model.
 *
 * @param signature the model's inputs and outputs
 * @param platform the result of {@link Model#platform()}
 * @param examples the model's golden examples, possibly none
 */
public record ModelMetadata(Signature signature, String platform, List<Example> examples) {

	public static ModelMetadata of(Model model) {
		return new ModelMetadata(model.signature(), model.platform(), model.examples());
	}

}
