package inference.web;

import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

import inference.Server;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The server's OpenAPI document. It checks requests and answers.
 */
final class OpenApi {

	private static final String LOCATION = "urn:openapi";

	private final JsonNode document;

	private final SchemaRegistry schemas;

	OpenApi(Server server) {
		String document = server.request().get("/openapi.json").then().statusCode(200).extract().asString();
		this.document = Conformance.JSON.readTree(document);
		this.schemas = SchemaRegistry.withDefaultDialect(Dialects.getOpenApi31(),
				(registry) -> registry.schemas(Map.of(LOCATION, document)));
	}

	/** Every path as the document writes it, with its variables. */
	List<String> paths() {
		return List.copyOf(this.document.get("paths").propertyNames());
	}

	/**
	 * The operation of a request.
	 * @return a JSON pointer, or {@code null} if there is none
	 */
	@Nullable String operation(String method, String path) {
		String matchingPath = null;
		for (String template : paths()) {
			boolean matches = Pattern.matches(template.replaceAll("\\{\\w+}", "[^/:]+"), path);
			// In OpenAPI, a path without variables has priority.
			if (matches && (matchingPath == null || !template.contains("{"))) {
				matchingPath = template;
			}
		}
		if (matchingPath == null) {
			return null;
		}
		String pointer = "/paths/" + matchingPath.replace("~", "~0").replace("/", "~1") + "/"
				+ method.toLowerCase(Locale.ROOT);
		return this.document.at(pointer).isMissingNode() ? null : pointer;
	}

	/**
	 * Checks the request and the answer of a conformance case.
	 * @return the operation and the status, or {@code null} if the path is unknown
	 */
	@Nullable String assertDescribes(Conformance conformance, HttpResponse<byte[]> response) {
		String path = conformance.path().replaceFirst("/api/predict/[^/]+", "");
		boolean predicts = conformance.method().equals("GET") && conformance.body().length > 0;
		String operation = operation(predicts ? "POST" : conformance.method(), path.isEmpty() ? "/" : path);
		if (operation == null) {
			assertThat(response.statusCode()).as(conformance.title()).isIn(404, 405);
			return null;
		}
		if (response.statusCode() == 200 && conformance.json() != null) {
			assertRequest(operation, json(conformance.json().replace("\uFEFF", "")));
		}
		int length = response.headers()
			.firstValue(Conformance.JSON_LENGTH)
			.map(Integer::parseInt)
			.orElse(response.body().length);
		assertResponse(operation, response.statusCode(), response.headers().firstValue("Content-Type").orElseThrow(),
				json(response.body(), length));
		return operation + " " + response.statusCode();
	}

	void assertRequest(String operation, JsonNode body) {
		assertValid(resolve(resolve(operation) + "/requestBody") + "/content/application~1json/schema",
				withoutNulls(body));
	}

	// The server treats a member that is null as missing. The document does not say so,
	// because few generators understand a type that allows null.
	private static JsonNode withoutNulls(JsonNode body) {
		return Conformance.JSON.readTree(body.toString().replaceAll("\"\\w+\":null,|,?\"\\w+\":null", ""));
	}

	/**
	 * Checks an answer.
	 * @param type the content type
	 * @param body the JSON, or {@code null} if the answer is not JSON
	 */
	void assertResponse(String operation, int status, String type, @Nullable JsonNode body) {
		String responses = operation + "/responses/";
		String exactResponse = responses + status;
		String response = resolve(this.document.at(exactResponse).isMissingNode()
				? responses + Integer.toString(status).charAt(0) + "XX" : exactResponse);
		assertThat(this.document.at(response).isMissingNode()).as("%s answers %d".formatted(operation, status))
			.isFalse();
		JsonNode content = this.document.at(response + "/content");
		String mediaType = type.replaceAll(";.*", "");
		assertThat(content.propertyNames()).as(operation).contains(mediaType);
		if (body != null) {
			// The document has no schema for the JSON in front of binary tensors.
			String json = mediaType.endsWith("json") ? mediaType : "application/json";
			assertValid(response + "/content/" + json.replace("/", "~1") + "/schema", body);
		}
	}

	private String resolve(String pointer) {
		JsonNode reference = this.document.at(pointer + "/$ref");
		return reference.isString() ? reference.stringValue().substring(1) : pointer;
	}

	private void assertValid(String pointer, JsonNode body) {
		Schema schema = this.schemas.getSchema(SchemaLocation.of(LOCATION + "#" + pointer));
		assertThat(schema.validate(body)).as("%s by %s".formatted(body, pointer)).isEmpty();
	}

	static JsonNode json(byte[] body, int length) {
		return json(new String(body, 0, length, StandardCharsets.UTF_8));
	}

	// NaN and the infinities have no type in a schema, so 0 replaces them.
	static JsonNode json(String body) {
		return Conformance.JSON.readTree(body.replaceAll("NaN|-?Infinity", "0"));
	}

}
