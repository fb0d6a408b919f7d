package inference.protocol;

import org.jspecify.annotations.Nullable;

/**
 * A request that cannot be served as it is. The message is one sentence for the client
 * that says what to change.
 */
final class RequestException extends RuntimeException {

	private static final int LONGEST = 100;

	private final int status;

	private RequestException(int status, String message) {
		super(message, null, false, false);
		this.status = status;
	}

	static RequestException bad(String message) {
		return new RequestException(400, message);
	}

	static RequestException unknown(String message) {
		return new RequestException(404, message);
	}

	static RequestException methodNotAllowed(String message) {
		return new RequestException(405, message);
	}

	static RequestException tooLarge(String message) {
		return new RequestException(413, message);
	}

	static RequestException unsupported(String message) {
		return new RequestException(415, message);
	}

	/**
	 * What a client sent, short enough to be sent back.
	 * @param text of any length
	 * @return its beginning
	 */
	static String excerpt(@Nullable String text) {
		String given = String.valueOf(text);
		return (given.length() <= LONGEST) ? given : given.substring(0, LONGEST) + "…";
	}

	int status() {
		return this.status;
	}

}
