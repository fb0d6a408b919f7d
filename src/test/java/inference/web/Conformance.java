package inference.web;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

import inference.ErrorBody;
import inference.TestModel;
import inference.model.Model;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A statement about a protocol, and a request that proves it. The files
 * {@code conformance/*.yaml} contain the cases, and each case has the members
 * <ul>
 * <li>{@code title}: the statement
 * <li>{@code model}: the inputs of an {@link Identity}, or {@code adder}
 * <li>{@code request}: method and path, or a list of them that get the same answer
 * <li>{@code headers}, {@code body} (see {@link Bytes}), {@code chunked}, {@code gzip}:
 * the rest of the request. If the body is a list that starts with a text, the header
 * {@code Inference-Header-Content-Length} has the length of the text
 * <li>{@code status}: 200 unless stated
 * <li>{@code answer}: the JSON, in which {@code "*"} stands for any value; or only the
 * {@code outputs} of the Open Inference Protocol; or what the {@code error} contains
 * <li>{@code tail}: the bytes behind the answer's JSON
 * <li>{@code answers}: headers of the answer
 * <li>{@code each}: sets of values. For each set there is a case in which the values
 * replace their names in angle brackets
 * </ul>
 *
 * @param group the name of the file, without its extension
 * @param request one of the requests
 * @param yaml all members of the case
 */
public record Conformance(String group, String request, Map<String, Object> yaml) {

	public static final String JSON_LENGTH = "Inference-Header-Content-Length";

	static final JsonMapper JSON = JsonMapper.builder()
		.enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
		.enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS, DeserializationFeature.USE_BIG_INTEGER_FOR_INTS,
				DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
		.build();

	private static final Pattern PLACEHOLDER = Pattern.compile("<(\\w+)>");

	public static Map<String, List<Conformance>> all() {
		Map<String, List<Conformance>> groups = new LinkedHashMap<>();
		try {
			Resource[] files = new PathMatchingResourcePatternResolver().getResources("classpath:conformance/*.yaml");
			for (Resource file : files) {
				String group = Objects.requireNonNull(file.getFilename()).replace(".yaml", "");
				groups.put(group, read(group, file));
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		return groups;
	}

	@SuppressWarnings("unchecked")
	private static List<Conformance> read(String group, Resource file) throws IOException {
		List<Conformance> cases = new ArrayList<>();
		try (InputStream stream = file.getInputStream()) {
			List<Map<String, Object>> yaml = new Yaml(new SafeConstructor(new LoaderOptions())).load(stream);
			for (Map<String, Object> one : yaml.stream().flatMap(Conformance::expand).toList()) {
				List<Object> requests = (one.get("request") instanceof List<?> list) ? (List<Object>) list
						: List.of(Objects.requireNonNull(one.get("request")));
				requests.forEach((request) -> cases.add(new Conformance(group, (String) request, one)));
			}
		}
		return cases;
	}

	@SuppressWarnings("unchecked")
	private static Stream<Map<String, Object>> expand(Map<String, Object> template) {
		List<Map<String, Object>> each = (List<Map<String, Object>>) template.getOrDefault("each", List.of(Map.of()));
		return each.stream().map((values) -> (Map<String, Object>) fill(template, values));
	}

	private static Object fill(Object template, Map<String, Object> values) {
		return switch (template) {
			case Map<?, ?> map -> {
				Map<Object, Object> filled = new LinkedHashMap<>();
				map.forEach((name, value) -> filled.put(name, fill(value, values)));
				yield filled;
			}
			case List<?> list -> list.stream().map((element) -> fill(element, values)).toList();
			case String text -> PLACEHOLDER.matcher(text)
				.replaceAll((name) -> Matcher.quoteReplacement(String.valueOf(values.get(name.group(1)))));
			default -> template;
		};
	}

	public String title() {
		return (this.yaml.get("request") instanceof List<?>) ? "%s (%s)".formatted(this.yaml.get("title"), this.request)
				: String.valueOf(this.yaml.get("title"));
	}

	public Model model() {
		String name = (String) this.yaml.getOrDefault("model", "adder");
		return name.equals("adder") ? new TestModel() : Identity.of(name);
	}

	String method() {
		return this.request.substring(0, this.request.indexOf(' '));
	}

	public String path() {
		return this.request.substring(this.request.indexOf(' ') + 1);
	}

	public int status() {
		return (Integer) this.yaml.getOrDefault("status", this.yaml.containsKey("error") ? 400 : 200);
	}

	@Nullable String json() {
		Object body = this.yaml.get("body");
		if (body instanceof List<?> parts && parts.getFirst() instanceof String text) {
			return text;
		}
		return (body instanceof String text) ? text : null;
	}

	public byte[] body() {
		Object body = this.yaml.get("body");
		byte[] bytes = (body != null) ? Bytes.of(body) : new byte[0];
		return this.yaml.containsKey("gzip") ? Bytes.gzip(bytes) : bytes;
	}

	public Map<String, String> headers() {
		Map<String, String> headers = new LinkedHashMap<>();
		if (this.yaml.get("body") instanceof List<?> parts && parts.getFirst() instanceof String text) {
			headers.put(JSON_LENGTH, Integer.toString(text.getBytes(StandardCharsets.UTF_8).length));
		}
		if (this.yaml.containsKey("gzip")) {
			headers.put("Content-Encoding", "gzip");
		}
		map("headers").forEach((name, value) -> headers.put(name, String.valueOf(value)));
		return headers;
	}

	HttpRequest toHttp(int port) {
		HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path()));
		headers().forEach(request::header);
		byte[] body = body();
		BodyPublisher publisher = BodyPublishers.noBody();
		if (this.yaml.containsKey("chunked")) {
			publisher = BodyPublishers.ofInputStream(() -> new ByteArrayInputStream(body));
		}
		else if (body.length > 0) {
			publisher = BodyPublishers.ofByteArray(body);
		}
		return request.method(method(), publisher).build();
	}

	void verify(HttpResponse<byte[]> response) {
		byte[] body = response.body();
		int length = response.headers().firstValue(JSON_LENGTH).map(Integer::parseInt).orElse(body.length);
		String json = new String(body, 0, length, StandardCharsets.UTF_8);
		assertThat(response.statusCode()).as(json).isEqualTo(status());
		Object tail = this.yaml.get("tail");
		assertThat(response.headers().firstValue("Content-Type")).contains((tail != null) ? "application/octet-stream"
				: this.yaml.containsKey("error") ? ErrorBody.CONTENT_TYPE : "application/json");
		assertThat(response.headers().firstValue(JSON_LENGTH).isPresent()).as(JSON_LENGTH).isEqualTo(tail != null);
		assertThat(Arrays.copyOfRange(body, length, body.length)).as("the bytes behind the JSON")
			.isEqualTo((tail != null) ? Bytes.of(tail) : new byte[0]);
		map("answers").forEach((name, value) -> assertThat(response.headers().firstValue(name)).as(name)
			.contains(String.valueOf(value)));
		verify(JSON.readTree(json));
	}

	private void verify(JsonNode answer) {
		if (this.yaml.get("error") instanceof String sentence) {
			assertThat(answer.propertyNames()).containsExactlyInAnyOrderElementsOf(ErrorBody.MEMBERS);
			assertThat(answer.get(ErrorBody.SENTENCE).stringValue()).contains(sentence);
		}
		else if (this.yaml.get("outputs") instanceof String outputs) {
			String all = "{\"model_name\":\"m\",\"model_version\":\"1\",\"outputs\":%s}".formatted(outputs);
			assertSame(answer, JSON.readTree(all), "answer");
		}
		else if (!method().equals("HEAD")) {
			assertSame(answer, JSON.readTree((String) Objects.requireNonNull(this.yaml.get("answer"))), "answer");
		}
	}

	// The order of members does not matter, and 1.0 equals 1. Every digit counts.
	private static void assertSame(JsonNode actual, JsonNode expected, String where) {
		if (expected.isString() && expected.stringValue().equals("*")) {
			assertThat(actual.isMissingNode()).as(where).isFalse();
		}
		else if (expected.isNumber() && Double.isFinite(expected.doubleValue())) {
			assertThat(actual.isNumber()).as(where + " is a number").isTrue();
			assertThat(actual.decimalValue()).as(where).isEqualByComparingTo(expected.decimalValue());
		}
		else if (expected.isContainer()) {
			assertThat(actual.getNodeType()).as(where).isEqualTo(expected.getNodeType());
			assertThat(actual.propertyNames()).as(where).containsExactlyInAnyOrderElementsOf(expected.propertyNames());
			assertThat(actual.size()).as("size of " + where).isEqualTo(expected.size());
			for (String name : expected.propertyNames()) {
				assertSame(actual.path(name), expected.get(name), where + "." + name);
			}
			for (int i = 0; expected.isArray() && i < expected.size(); i++) {
				assertSame(actual.path(i), expected.get(i), "%s[%d]".formatted(where, i));
			}
		}
		else {
			assertThat(actual).as(where).isEqualTo(expected);
		}
	}

	@SuppressWarnings("unchecked")
	private Map<String, Object> map(String key) {
		return (Map<String, Object>) this.yaml.getOrDefault(key, Map.of());
	}

	@Override
	public String toString() {
		return title();
	}

}
