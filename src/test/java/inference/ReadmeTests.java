package inference;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.model.BundledModel;
import inference.model.ModelProperties;
import inference.model.OnnxModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/**
 * The README's examples: each {@code curl} in a block of commands is answered, and as the
 * block of JSON behind it says, line by line.
 */
class ReadmeTests {

	private static final Pattern BLOCK = Pattern.compile("```(\\w+)\\n(.*?)```(?:\\s*```json\\n(.*?)```)?",
			Pattern.DOTALL);

	private static final Pattern WORD = Pattern.compile("'([^']*)'|(\\S+)");

	private static final Pattern ESCAPE = Pattern.compile("\\\\([0-7]{3})|[^\\\\]+");

	private static Server server;

	@BeforeAll
	static void start() throws IOException {
		BundledModel.assumeBundled();
		server = Server.ready(
				() -> new OnnxModel(
						new ModelProperties("iris", "1", "classpath:model.onnx", 1, "cpu", List.of(), List.of())),
				"inference.model.name=iris", "inference.model.version=1");
	}

	@AfterAll
	static void stop() {
		if (server != null) {
			server.close();
		}
	}

	@TestFactory
	Stream<DynamicTest> answersEveryExampleAsTheReadmeSays() throws IOException {
		return examples().stream().map((example) -> DynamicTest.dynamicTest(example.command(), () -> {
			try (HttpClient client = HttpClient.newHttpClient()) {
				HttpResponse<String> response = client.send(example.toHttp(server.port()), BodyHandlers.ofString());
				assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
				example.answer()
					.ifPresent((answer) -> assertAlike(JsonMapper.shared().readTree(response.body()),
							JsonMapper.shared().readTree(answer)));
			}
		}));
	}

	@Test
	void containsAnExampleOfEveryDialect() throws IOException {
		assertThat(examples()).extracting(Example::command)
			.anyMatch((command) -> command.contains("\"instances\""))
			.anyMatch((command) -> command.contains("\"inputs\":{"))
			.anyMatch((command) -> command.contains("\"data\":"))
			.anyMatch((command) -> command.contains("\"binary_data_size\""));
	}

	private static List<Example> examples() throws IOException {
		List<Example> examples = new ArrayList<>();
		for (Matcher block = BLOCK.matcher(Files.readString(Path.of("README.md"))); block.find();) {
			List<String> answers = (block.group(3) != null) ? block.group(3).lines().toList() : List.of();
			List<String> commands = block.group(1).equals("sh")
					? block.group(2).lines().filter((line) -> line.matches("(curl|printf) .*")).toList() : List.of();
			for (int i = 0; i < commands.size(); i++) {
				examples.add(new Example(commands.get(i),
						(i < answers.size()) ? Optional.of(answers.get(i)) : Optional.empty()));
			}
		}
		return examples;
	}

	// Another processor may round the last digit otherwise.
	private static void assertAlike(JsonNode actual, JsonNode expected) {
		if (expected.isNumber()) {
			assertThat(actual.doubleValue()).isEqualTo(expected.doubleValue(), within(1e-6));
		}
		else if (expected.isContainer()) {
			assertThat(actual.propertyNames()).containsExactlyElementsOf(expected.propertyNames());
			assertThat(actual.size()).isEqualTo(expected.size());
			expected.propertyNames().forEach((name) -> assertAlike(actual.get(name), expected.get(name)));
			for (int i = 0; expected.isArray() && i < expected.size(); i++) {
				assertAlike(actual.get(i), expected.get(i));
			}
		}
		else {
			assertThat(actual).isEqualTo(expected);
		}
	}

	/**
	 * A {@code curl}, perhaps behind a {@code printf}, and what comes of it.
	 */
	private record Example(String command, Optional<String> answer) {

		HttpRequest toHttp(int port) {
			List<String> words = new ArrayList<>();
			for (Matcher word = WORD.matcher(this.command); word.find();) {
				words.add((word.group(1) != null) ? word.group(1) : word.group(2));
			}
			URI uri = URI.create("http://" + words.getLast().replace(":8000", ":" + port));
			HttpRequest.Builder request = HttpRequest.newBuilder(uri);
			for (int i = 0; i < words.size(); i++) {
				switch (words.get(i)) {
					case "-d" -> request.POST(BodyPublishers.ofString(words.get(i + 1)));
					case "--data-binary" -> {
						assertThat(words.get(i + 1)).isEqualTo("@-");
						request.POST(BodyPublishers.ofByteArray(printed(words.get(words.indexOf("printf") + 1))));
					}
					case "-H" -> {
						int colon = words.get(i + 1).indexOf(": ");
						request.header(words.get(i + 1).substring(0, colon), words.get(i + 1).substring(colon + 2));
					}
					default -> {
					}
				}
			}
			return request.build();
		}

		private static byte[] printed(String text) {
			ByteArrayOutputStream bytes = new ByteArrayOutputStream();
			for (Matcher part = ESCAPE.matcher(text); part.find();) {
				if (part.group(1) != null) {
					bytes.write(Integer.parseInt(part.group(1), 8));
				}
				else {
					bytes.writeBytes(part.group().getBytes(StandardCharsets.UTF_8));
				}
			}
			return bytes.toByteArray();
		}

	}

}
