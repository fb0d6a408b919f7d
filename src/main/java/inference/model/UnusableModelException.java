package inference.model;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a model's constructor, or by the warm-up, when the model cannot be served.
 * The process then ends, and its last log line says what is wrong and what to change.
 */
public class UnusableModelException extends RuntimeException {

	private final String description;

	private final String action;

	/**
	 * An exception with two texts for the person who runs the server.
	 * @param description what is wrong and where, in one sentence
	 * @param action what to change, in full sentences
	 * @param cause the exception that led to this exception, or {@code null}
	 */
	public UnusableModelException(String description, String action, @Nullable Throwable cause) {
		super("%s %s".formatted(description, action), cause);
		this.description = description;
		this.action = action;
	}

	public String description() {
		return this.description;
	}

	public String action() {
		return this.action;
	}

}
