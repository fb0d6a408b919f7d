package inference.model;

/**
 * Thrown by a model when a call needs more memory than the model can have. The client
 * gets status 413. Clients can cause this exception often, so it has no stack trace.
 */
public final class InsufficientMemoryException extends RuntimeException {

	public InsufficientMemoryException(String message, Throwable cause) {
		super(message, cause, false, false);
	}

}
