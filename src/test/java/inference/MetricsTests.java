package inference;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.admission.Statistics;
import inference.admission.Statistics.Protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Holds the metrics' document, the dashboard and the alert rules against what a server
 * exposes.
 */
class MetricsTests {

	private static final Path OPS = Path.of("src/ops");

	private static final Pattern SAMPLE = Pattern.compile("^(\\w+)(?:\\{(.*)})? \\S+$", Pattern.MULTILINE);

	private static final Pattern TYPE = Pattern.compile("^# TYPE (\\w+) (\\w+)$", Pattern.MULTILINE);

	private static final Pattern LABEL = Pattern.compile("(\\w+)\\s*(=~|!=|!~|=)\\s*\"([^\"]*)\"");

	private static final Pattern ROW = Pattern
		.compile("^\\| `(inference_\\w+)` \\| (\\w+) \\| [^|]+ \\|(?: (`[^|]*))? \\| [^|]+ \\|$", Pattern.MULTILINE);

	private static final Pattern DOCUMENTED_LABEL = Pattern.compile("`(\\w+)`: ([^;.]*)");

	private static final Pattern GROUPING = Pattern.compile("\\b(?:by|on|ignoring)\\s*\\(([^)]*)\\)");

	private static final Pattern SELECTOR = Pattern.compile("\\b([a-z_]+)\\b(?:\\{([^}]*)})?(?!\\s*\\()");

	/** What Prometheus adds to whatever it scrapes. */
	private static final Set<String> ADDED = Set.of("instance", "job");

	/** Metrics of the kubelet, which no server has. */
	private static final Map<String, Set<String>> FOREIGN = Map.of("container_memory_working_set_bytes",
			Set.of("container", "pod"), "container_spec_memory_limit_bytes", Set.of("container", "pod"), "up",
			Set.of("instance"));

	private static final double DEFAULT_DEADLINE_SECONDS = 4;

	private static final Map<String, String> types = new HashMap<>();

	/** By name of a sample: its labels, each with all its values. */
	private static final Map<String, Map<String, Set<String>>> samples = new TreeMap<>();

	@BeforeAll
	static void expose() {
		try (Server server = Server.ready(TestModel::new)) {
			server.context().getBean(Statistics.class).registerTimers(Protocol.GRPC);
			for (String body : List.of("{\"instances\":[[1,2]]}", "{\"instances\":[[500,2]]}", "no JSON")) {
				server.request().body(body).post("/");
			}
			System.gc();
			await().pollInterval(Duration.ofMillis(10))
				.until(() -> server.request()
					.get("/actuator/prometheus")
					.asString()
					.contains("jvm_gc_pause_seconds_sum"));
			String exposed = server.request().get("/actuator/prometheus").asString();
			TYPE.matcher(exposed).results().forEach((type) -> types.put(type.group(1), type.group(2)));
			SAMPLE.matcher(exposed).results().forEach(MetricsTests::remember);
		}
	}

	@AfterAll
	static void forget() {
		types.clear();
		samples.clear();
	}

	@Test
	void theDocumentHasExactlyTheMetricsThatAreExposed() throws IOException {
		Map<String, String> documented = new TreeMap<>();
		document().forEach((row) -> {
			documented.put(row.group(1), row.group(2));
			if (row.group(2).equals("histogram")) {
				documented.put(row.group(1) + "_max", "gauge");
			}
		});
		Map<String, String> exposed = types.entrySet()
			.stream()
			.filter((metric) -> metric.getKey().startsWith("inference_"))
			.collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
		assertThat(documented).isEqualTo(exposed);
	}

	@Test
	void theDocumentHasTheirLabelsWithAllValues() throws IOException {
		document().forEach((row) -> {
			String sample = row.group(2).equals("histogram") ? row.group(1) + "_count" : row.group(1);
			Map<String, Set<String>> documented = DOCUMENTED_LABEL.matcher(Objects.requireNonNullElse(row.group(3), ""))
				.results()
				.collect(Collectors.toMap((label) -> label.group(1), (label) -> Set.of(label.group(2).split(", "))));
			assertThat(documented).as(sample).isEqualTo(samples.get(sample));
		});
	}

	@Test
	void theDocumentSaysWhatEveryOutcomeMeans() throws IOException {
		Set<String> explained = Pattern.compile("^\\| (\\w+) \\|", Pattern.MULTILINE)
			.matcher(Files.readString(OPS.resolve("metrics.md")))
			.results()
			.map((row) -> row.group(1))
			.filter((word) -> !word.equals("metric"))
			.collect(Collectors.toSet());
		assertThat(explained).isEqualTo(labels("inference_requests_seconds_count").get("outcome"));
	}

	@ParameterizedTest
	@MethodSource("expressions")
	void everyExpressionAsksForWhatIsExposed(String expression) {
		Set<String> known = new HashSet<>(ADDED);
		for (MatchResult selector : selectors(expression)) {
			String name = selector.group(1);
			Map<String, Set<String>> labels = labels(name);
			known.addAll(labels.keySet());
			Matcher label = LABEL.matcher((selector.group(2) != null) ? selector.group(2) : "");
			while (label.find() && !label.group(3).startsWith("$") && !FOREIGN.containsKey(name)) {
				assertThat(labels).as(name).containsKey(label.group(1));
				assertThat(labels.get(label.group(1))).as("%s of %s", label.group(1), name)
					.contains(label.group(3).split("\\|"));
			}
		}
		for (Matcher grouping = GROUPING.matcher(expression); grouping.find();) {
			assertThat(known).as("labels").contains(grouping.group(1).split("\\s*,\\s*"));
		}
	}

	@Test
	void theDashboardShowsEveryMetricOfTheServersOwn() throws IOException {
		String shown = String.join("\n", dashboard().findValuesAsString("expr"));
		assertThat(document().map((row) -> row.group(1))).allMatch(shown::contains);
	}

	@Test
	void theDashboardRunsOnAnyDataSourceAndForAnyInstance() {
		JsonNode dashboard = dashboard();
		assertThat(dashboard.at("/templating/list").findValuesAsString("name")).containsExactly("datasource",
				"instance");
		assertThat(dashboard.findValues("datasource")).isNotEmpty()
			.allMatch((source) -> source.path("uid").asString().equals("${datasource}"));
		assertThat(dashboard.findValuesAsString("expr")).allMatch((expression) -> selectors(expression).stream()
			.allMatch((selector) -> String.valueOf(selector.group(2)).contains("instance=~\"$instance\"")));
	}

	@Test
	void everyAlertSaysWhatHappensAndWhatToDo() {
		List<JsonNode> rules = rules();
		assertThat(rules).extracting((rule) -> rule.path("alert").asString()).doesNotHaveDuplicates();
		assertThat(rules).isNotEmpty().allSatisfy((rule) -> {
			assertThat(rule.at("/labels/severity").asString()).isIn("critical", "warning", "info");
			boolean isOfOne = !rule.path("expr").asString().startsWith("absent(");
			assertThat(rule.at("/annotations/summary").asString().contains("{{ $labels.")).isEqualTo(isOfOne);
			assertThat(rule.at("/annotations/description").asString()).hasSizeGreaterThan(60);
		});
	}

	// Between the bounds of a bucket, Prometheus can only estimate a quantile.
	@Test
	void sharesOfTheDefaultDeadlineAreBoundsOfBuckets() {
		Set<String> bounds = labels("inference_requests_seconds_bucket").getOrDefault("le", Set.of());
		String expressions = expressions().collect(Collectors.joining("\n"));
		assertThat(Pattern.compile("([0-9.]+) \\* inference_deadline_seconds").matcher(expressions).results())
			.isNotEmpty()
			.allSatisfy((share) -> assertThat(bounds)
				.contains(Double.toString(DEFAULT_DEADLINE_SECONDS * Double.parseDouble(share.group(1)))));
	}

	static Stream<String> expressions() {
		return Stream.concat(dashboard().findValuesAsString("expr").stream(),
				rules().stream().map((rule) -> rule.path("expr").asString()));
	}

	private static Stream<MatchResult> document() throws IOException {
		return ROW.matcher(Files.readString(OPS.resolve("metrics.md"))).results();
	}

	private static JsonNode dashboard() {
		return JsonMapper.shared().readTree(OPS.resolve("grafana-dashboard.json"));
	}

	private static List<JsonNode> rules() {
		return YamlFile.documents(OPS.resolve("alerts.yaml")).getFirst().at("/groups/0/rules").valueStream().toList();
	}

	// Finds the names of metrics: all words except functions, labels and keywords.
	private static List<MatchResult> selectors(String expression) {
		String selecting = GROUPING.matcher(expression).replaceAll("").replaceAll("\\[[^]]*]", "");
		return SELECTOR.matcher(selecting)
			.results()
			.filter((selector) -> !Set.of("sum", "min", "max", "by", "on", "and", "or", "unless")
				.contains(selector.group(1)))
			.toList();
	}

	private static Map<String, Set<String>> labels(String sample) {
		if (FOREIGN.containsKey(sample)) {
			return FOREIGN.get(sample).stream().collect(Collectors.toMap((label) -> label, (_) -> Set.of()));
		}
		Map<String, Set<String>> exposed = samples.get(sample);
		if (exposed == null) {
			throw new AssertionError("%s is not exposed".formatted(sample));
		}
		return exposed;
	}

	private static void remember(MatchResult sample) {
		Map<String, Set<String>> labels = samples.computeIfAbsent(sample.group(1), (_) -> new TreeMap<>());
		Matcher label = LABEL.matcher((sample.group(2) != null) ? sample.group(2) : "");
		while (label.find()) {
			labels.computeIfAbsent(label.group(1), (_) -> new TreeSet<>()).add(label.group(3));
		}
	}

}
