package inference.web;

import org.jspecify.annotations.Nullable;

import org.springframework.stereotype.Component;

import inference.codec.InvalidRequestException;
import inference.model.ModelProperties;

/**
 * The name, the version and the label under which the model is served.
 */
@Component
final class ServedName {

	// The only version goes by the label that TensorFlow Serving's users expect.
	private static final String LABEL = "stable";

	private final ModelProperties model;

	ServedName(ModelProperties model) {
		this.model = model;
	}

	/**
	 * Checks what a path names.
	 * @param version the version, or {@code null} if the path names none
	 * @param label the version's label, or {@code null} if the path names none
	 * @throws RequestException with status 404 if the model is not served under it
	 */
	void require(String name, @Nullable String version, @Nullable String label) {
		if (!name.equals(this.model.name())) {
			throw unknown("There is no model '%s'; this server serves '%s'.", name, this.model.name());
		}
		if (version != null && !version.equals(this.model.version())) {
			throw unknown("Model '" + this.model.name() + "' has no version '%s', only '%s'.", version,
					this.model.version());
		}
		if (label != null && !label.equals(LABEL)) {
			throw unknown("Model '" + this.model.name() + "' has no version labelled '%s', only '%s'.", label, LABEL);
		}
	}

	private static RequestException unknown(String sentence, String found, String served) {
		return new RequestException(404, sentence.formatted(InvalidRequestException.excerpt(found), served));
	}

}
