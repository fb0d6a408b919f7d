package inference.model;

/**
 * Thrown when outputs do not fit the model's signature or the form of the answer. The
 * message completes the sentence "The model failed: ...", which the client gets.
 */
public final class InvalidOutputException extends RuntimeException {

	public InvalidOutputException(String message) {
		super(message);
	}

}
