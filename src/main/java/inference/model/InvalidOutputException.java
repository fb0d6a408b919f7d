package inference.model;

/**
 * The model's output cannot be sent. The message completes the sentence "The model
 * failed: ...", which the client gets.
 */
public final class InvalidOutputException extends RuntimeException {

	public InvalidOutputException(String message) {
		super(message);
	}

}
