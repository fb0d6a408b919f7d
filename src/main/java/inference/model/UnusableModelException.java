package inference.model;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a model's constructor when what it should load cannot be served. An operator
 * reads what is wrong and what to change; the process ends with both in one line.
 */
public class UnusableModelException extends RuntimeException {

	private final String description;

	private final String action;

	/**
	 * An exception for an operator.
	 * @param description what is wrong and where, in one sentence
	 * @param action what to change, in one sentence
	 * @param cause what was thrown, if anything was
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
