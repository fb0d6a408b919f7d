package inference.codec;

import java.util.Arrays;

import org.jspecify.annotations.Nullable;

import inference.model.Signature;

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

	static InvalidRequestException unknownInput(String name, Signature signature) {
		return new InvalidRequestException(
				"There is no input '%s'; the model takes %s.".formatted(excerpt(name), signature.inputs()));
	}

	/** Throws this exception unless a condition holds. Long arguments are cut short. */
	public static void require(boolean condition, String sentence, @Nullable Object... arguments) {
		if (!condition) {
			Object[] excerpts = Arrays.stream(arguments)
				.map((argument) -> (argument instanceof String text) ? excerpt(text) : argument)
				.toArray();
			throw new InvalidRequestException(sentence.formatted(excerpts));
		}
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
