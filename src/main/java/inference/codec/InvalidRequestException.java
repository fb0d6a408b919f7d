package inference.codec;

import java.util.Arrays;
import java.util.Objects;

import org.jspecify.annotations.Nullable;

import inference.model.ModelProperties;

/**
 * Thrown when the model cannot be run with what the client sent, or when the client asks
 * for another model. The message is one sentence for the client that says what to change.
 */
public final class InvalidRequestException extends RuntimeException {

	static final String UNKNOWN_INPUT_MESSAGE = "There is no input '%s'; the model takes %s.";

	private static final int MAX_EXCERPT_LENGTH = 100;

	private final boolean isUnknownModel;

	/** An exception without a stack trace, because clients can cause it often. */
	public InvalidRequestException(String message) {
		this(message, false);
	}

	private InvalidRequestException(String message, boolean isUnknownModel) {
		super(message, null, false, false);
		this.isUnknownModel = isUnknownModel;
	}

	/**
	 * Throws this exception unless the served model has the name and the version.
	 * @param modelProperties the model that is served
	 * @param name the name that the client gave
	 * @param version the version that the client gave, or {@code null} for any
	 */
	public static void requireServed(ModelProperties modelProperties, String name, @Nullable String version) {
		if (!name.equals(modelProperties.name())) {
			throw new InvalidRequestException(
					"There is no model '%s'; this server serves '%s'.".formatted(excerpt(name), modelProperties.name()),
					true);
		}
		if (version != null && !modelProperties.servesVersion(version)) {
			throw new InvalidRequestException("Model '%s' has no version '%s', only '%s'.".formatted(name,
					excerpt(version), modelProperties.version()), true);
		}
	}

	/** Whether the client asked for a model or a version that is not served. */
	public boolean isUnknownModel() {
		return this.isUnknownModel;
	}

	/** Throws this exception unless a condition holds. Long strings are cut short. */
	public static void require(boolean condition, String sentence, @Nullable Object... arguments) {
		if (!condition) {
			Object[] excerpts = Arrays.stream(arguments)
				.map((argument) -> (argument instanceof String text) ? excerpt(text) : argument)
				.toArray();
			throw new InvalidRequestException(sentence.formatted(excerpts));
		}
	}

	/** Returns a value, or throws this exception if the value is {@code null}. */
	static <T> T requirePresent(@Nullable T value, String sentence, @Nullable Object... arguments) {
		require(value != null, sentence, arguments);
		return Objects.requireNonNull(value);
	}

	/** The first 100 characters of a text that a client sent. */
	public static String excerpt(String text) {
		boolean isShort = text.codePointCount(0, text.length()) <= MAX_EXCERPT_LENGTH;
		return isShort ? text : text.substring(0, text.offsetByCodePoints(0, MAX_EXCERPT_LENGTH)) + "…";
	}

}
