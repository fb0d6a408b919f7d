package inference.web;

/**
 * Thrown when a request cannot be served for a reason that HTTP has a status for.
 */
final class RequestException extends RuntimeException {

	private final int status;

	/**
	 * An exception without a stack trace, because clients cause it.
	 * @param status the HTTP status
	 * @param message one sentence that says what to change
	 */
	RequestException(int status, String message) {
		super(message, null, false, false);
		this.status = status;
	}

	int status() {
		return this.status;
	}

}
