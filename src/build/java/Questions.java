import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Asks a server everything that it answers, whatever its model is: with zeros, in the
 * shapes that its metadata declares.
 */
final class Questions {

	private static final List<String> SURFACES = List.of("/", "/livez", "/readyz", "/startupz",
			"/actuator/health/liveness", "/actuator/health/readiness", "/actuator/health/startup",
			"/actuator/prometheus", "/actuator/info", "/openapi.json", "/v2", "/v2/health/live", "/v2/health/ready");

	/** A tensor as the server's own metadata writes it. */
	private static final Pattern TENSOR = Pattern
		.compile("\\{\"name\":(\"(?:[^\"\\\\]|\\\\.)*\"),\"datatype\":\"(\\w+)\",\"shape\":\\[([-0-9,]*)]}");

	private static final Pattern NAME = Pattern.compile("\"name\":\"([^\"]+)\"");

	private static final int ROUNDS = 20;

	private static final Duration BUDGET = Duration.ofSeconds(10);

	private static final Duration PATIENCE = Duration.ofMinutes(1);

	private static final long MAX_ELEMENTS = 1_000_000;

	private final HttpClient client = HttpClient.newHttpClient();

	private final String address;

	Questions(String address) {
		this.address = address;
	}

	boolean ready() {
		return get("/readyz").filter((response) -> response.statusCode() == 200).isPresent();
	}

	void ask() {
		SURFACES.forEach(this::get);
		send(HttpRequest.newBuilder(uri("/")).header("Accept", "text/html"));
		String name = find(NAME, get("/").orElseThrow().body());
		String metadata = get("/v2/models/" + name).orElseThrow().body();
		List<Input> inputs = inputs(metadata.substring(0, metadata.indexOf("\"outputs\"")));
		get("/v1/models/" + name);
		if (inputs.stream().mapToLong(Input::elements).sum() > MAX_ELEMENTS) {
			return;
		}
		long end = System.nanoTime() + BUDGET.toNanos();
		for (int round = 0; round < ROUNDS && System.nanoTime() < end; round++) {
			post("/v1/models/" + name + ":predict", "{\"instances\":[" + rows(inputs) + "]}");
			post("/v1/models/" + name + ":predict", "{\"inputs\":" + columns(inputs) + "}");
			post("/v2/models/" + name + "/infer", oip(inputs, false));
			post("/v2/models/" + name + "/infer", oip(inputs, true));
			post("/", "{");
		}
	}

	private static List<Input> inputs(String metadata) {
		return TENSOR.matcher(metadata)
			.results()
			.map((tensor) -> new Input(tensor.group(1), tensor.group(2),
					Stream.of(tensor.group(3).split(","))
						.filter((size) -> !size.isEmpty())
						.map((size) -> Math.abs(Long.parseLong(size)))
						.toList()))
			.toList();
	}

	private static String rows(List<Input> inputs) {
		return (inputs.size() == 1) ? inputs.getFirst().nested(1)
				: inputs.stream()
					.map((input) -> input.name() + ":" + input.nested(1))
					.collect(Collectors.joining(",", "{", "}"));
	}

	private static String columns(List<Input> inputs) {
		return inputs.stream()
			.map((input) -> input.name() + ":" + input.nested(0))
			.collect(Collectors.joining(",", "{", "}"));
	}

	private static String oip(List<Input> inputs, boolean binary) {
		String parameters = "],\"parameters\":{\"binary_data_output\":" + binary + "}}";
		return inputs.stream().map(Input::oip).collect(Collectors.joining(",", "{\"inputs\":[", parameters));
	}

	private Optional<HttpResponse<String>> get(String path) {
		return send(HttpRequest.newBuilder(uri(path)));
	}

	// Whatever the answer is: not every model takes zeros, or rows
	private void post(String path, String body) {
		send(HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.ofString(body)));
	}

	private URI uri(String path) {
		return URI.create(this.address + path);
	}

	private Optional<HttpResponse<String>> send(HttpRequest.Builder request) {
		try {
			return Optional.of(this.client.send(request.timeout(PATIENCE).build(), BodyHandlers.ofString()));
		}
		catch (IOException ex) {
			return Optional.empty();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static String find(Pattern pattern, String text) {
		Matcher matcher = pattern.matcher(text);
		if (!matcher.find()) {
			throw new IllegalStateException(pattern + " is not in " + text);
		}
		return matcher.group(1);
	}

	/** An input, and zeros for it. */
	private record Input(String name, String dataType, List<Long> shape) {

		long elements() {
			return this.shape.stream().reduce(1L, Math::multiplyExact);
		}

		String nested(int from) {
			String value = zero();
			for (int i = this.shape.size() - 1; i >= from; i--) {
				value = "[" + String.join(",", Collections.nCopies(this.shape.get(i).intValue(), value)) + "]";
			}
			return value;
		}

		String oip() {
			return "{\"name\":" + this.name + ",\"datatype\":\"" + this.dataType + "\",\"shape\":" + this.shape
					+ ",\"data\":[" + String.join(",", Collections.nCopies((int) elements(), zero())) + "]}";
		}

		private String zero() {
			return switch (this.dataType) {
				case "BYTES" -> "\"\"";
				case "BOOL" -> "false";
				default -> "0";
			};
		}

	}
}
