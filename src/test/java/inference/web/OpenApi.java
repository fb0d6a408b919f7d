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
 * An OpenAPI document, and what it says of a request and its answer.
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

	/** Every path, as it is written there. */
	List<String> paths() {
		return List.copyOf(this.document.get("paths").propertyNames());
	}

	/**
	 * The operation of a request.
	 * @return a JSON pointer, or {@code null} if there is none
	 */
	@Nullable String operation(String method, String path) {
		String found = null;
		for (String template : paths()) {
			boolean matches = Pattern.matches(template.replaceAll("\\{\\w+}", "[^/:]+"), path);
			// A path without a variable goes before one with, says OpenAPI.
			if (matches && (found == null || !template.contains("{"))) {
				found = template;
			}
		}
		if (found == null) {
			return null;
		}
		String pointer = "/paths/" + found.replace("~", "~0").replace("/", "~1") + "/"
				+ method.toLowerCase(Locale.ROOT);
		return this.document.at(pointer).isMissingNode() ? null : pointer;
	}

	/**
	 * Checks the request and the answer of a conformance case.
	 * @return the operation and the status, or {@code null} if the path is unknown
	 */
	@Nullable String assertDescribes(Conformance one, HttpResponse<byte[]> response) {
		String path = one.path().replaceFirst("/api/predict/[^/]+", "");
		boolean predicts = one.method().equals("GET") && one.body().length > 0;
		String operation = operation(predicts ? "POST" : one.method(), path.isEmpty() ? "/" : path);
		if (operation == null) {
			assertThat(response.statusCode()).as(one.title()).isIn(404, 405);
			return null;
		}
		if (response.statusCode() == 200 && one.json() != null) {
			assertRequest(operation, json(one.json().replace("\uFEFF", "")));
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

	// The server takes null for absent. The document does not say so, because few
	// generators understand such a type.
	private static JsonNode withoutNulls(JsonNode body) {
		return Conformance.JSON.readTree(body.toString().replaceAll("\"\\w+\":null,|,?\"\\w+\":null", ""));
	}

	/**
	 * Checks an answer.
	 * @param type the content type
	 * @param body the JSON, or {@code null} if it is none
	 */
	void assertResponse(String operation, int status, String type, @Nullable JsonNode body) {
		String responses = operation + "/responses/";
		String exact = responses + status;
		String response = resolve(this.document.at(exact).isMissingNode()
				? responses + Integer.toString(status).charAt(0) + "XX" : exact);
		assertThat(this.document.at(response).isMissingNode()).as("%s answers %d".formatted(operation, status))
			.isFalse();
		JsonNode content = this.document.at(response + "/content");
		String media = type.replaceAll(";.*", "");
		assertThat(content.propertyNames()).as(operation).contains(media);
		if (body != null) {
			// The document has no schema for the JSON in front of binary tensors.
			String json = media.endsWith("json") ? media : "application/json";
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

	// A schema knows NaN and the infinities neither as numbers nor as anything else.
	static JsonNode json(String body) {
		return Conformance.JSON.readTree(body.replaceAll("NaN|-?Infinity", "0"));
	}

}
