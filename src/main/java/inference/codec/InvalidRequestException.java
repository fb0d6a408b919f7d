package inference.codec;

import org.jspecify.annotations.Nullable;

/**
 * Thrown when the model cannot be run with what the client sent. The message is one
 * sentence for the client that says what to change.
 */
public final class InvalidRequestException extends RuntimeException {

	private static final int MAX_EXCERPT_LENGTH = 100;

	/**
	 * An exception without a stack trace, because clients cause it.
	 * @param message one sentence
	 */
	public InvalidRequestException(String message) {
		super(message, null, false, false);
	}

	/**
	 * The beginning of a text that a client sent, short enough to be sent back.
	 * @param text of any length
	 * @return 100 characters at most
	 */
	public static String excerpt(@Nullable String text) {
		String given = String.valueOf(text);
		return (given.length() <= MAX_EXCERPT_LENGTH) ? given : given.substring(0, MAX_EXCERPT_LENGTH) + "…";
	}

}
