package inference;

import java.util.List;

/**
 * The shape of an error's body. A fork that answers errors in another shape, such as that
 * of RFC 9457, changes this and {@code ErrorAnswer}.
 */
public final class ErrorBody {

	/** The member that holds the sentence. */
	public static final String SENTENCE = "error";

	/** All members. */
	public static final List<String> MEMBERS = List.of(SENTENCE);

	private ErrorBody() {
	}

}
