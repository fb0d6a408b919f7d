package inference;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.io.ClassPathResource;

/**
 * The form of an error's body, as {@code openapi.json} declares it. A fork that answers
 * errors in another form, such as that of RFC 9457, changes {@code ErrorAnswer} and
 * {@code openapi.json}, and no test.
 */
public final class ErrorBody {

	private static final JsonNode COMPONENTS = components();

	/** The content type. */
	public static final String CONTENT_TYPE = COMPONENTS.at("/responses/Error/content")
		.propertyNames()
		.iterator()
		.next();

	/** All members. */
	public static final List<String> MEMBERS = COMPONENTS.at("/schemas/Error/required")
		.valueStream()
		.map(JsonNode::asString)
		.toList();

	/** The member that holds the sentence. It is the first of the required ones. */
	public static final String SENTENCE = MEMBERS.getFirst();

	private ErrorBody() {
	}

	private static JsonNode components() {
		try {
			return JsonMapper.shared()
				.readTree(new ClassPathResource("openapi.json").getContentAsByteArray())
				.get("components");
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
