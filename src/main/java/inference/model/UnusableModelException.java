package inference.model;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a model's constructor when what it should load cannot be served. The message
 * is one sentence for the operator that names the place and says what to do; the process
 * ends with it.
 */
public class UnusableModelException extends RuntimeException {

	public UnusableModelException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
