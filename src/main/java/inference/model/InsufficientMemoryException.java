package inference.model;

/**
 * Thrown by a model when a call needs more memory than the model has. Clients can cause
 * this exception often, so it has no stack trace.
 */
public final class InsufficientMemoryException extends RuntimeException {

	private final boolean isTemporary;

	/** Creates the exception for a call whose client must send less to get an answer. */
	public InsufficientMemoryException(String message, Throwable cause) {
		this(message, cause, false);
	}

	/**
	 * Creates the exception.
	 * @param isTemporary {@code true} if other calls hold the memory, so that the client
	 * may try again and gets status 429; otherwise the client gets status 413
	 */
	public InsufficientMemoryException(String message, Throwable cause, boolean isTemporary) {
		super(message, cause, false, false);
		this.isTemporary = isTemporary;
	}

	public boolean isTemporary() {
		return this.isTemporary;
	}

}
