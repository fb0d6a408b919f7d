package inference.web;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;

import org.springframework.core.io.ClassPathResource;

import inference.Server;
import inference.TestModel;
import inference.model.Example;
import inference.model.FakeModel;
import inference.model.Gate;
import inference.model.Model;
import inference.model.ModelProperties;
import inference.model.OnnxModel;
import inference.model.Tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The console page in a browser.
 */
@EnabledIf("inference.web.Browser#isInstalled")
class ConsolePageIT {

	private static final Path SCREENSHOTS = Path.of("target/screenshots");

	private static Server server;

	private static Browser browser;

	@BeforeAll
	static void start() {
		server = Server.ready(TestModel::new);
		browser = new Browser();
	}

	@AfterAll
	static void stop() {
		browser.close();
		server.close();
	}

	// A failed request is logged, too, but is no fault of the page.
	@AfterEach
	void requireNoWarnings() {
		assertThat(browser.takeWarnings()).allMatch((warning) -> warning.contains("Failed to load resource"));
	}

	@Test
	void showsTheModelAndTheProbes() {
		open(new TestModel());
		assertThat(browser.text("name")).isEqualTo("m");
		assertThat(browser.text("version")).isEqualTo("version 1, java_class");
		assertThat(browser.text("state")).isEqualTo("READY");
		assertThat(browser.text("reason")).isEqualTo("the model serves");
		assertThat(browser.text("probes").lines()).containsExactly("Startup", "passes, 200",
				"/startupz: the model serves", "Liveness", "passes, 200", "/livez: the model serves", "Readiness",
				"passes, 200", "/readyz: the model serves");
		assertThat(browser.text("changes")).contains("READY the model serves");
		assertThat(browser.text("signature")).contains("x FP32 [-1, 2]", "sum FP32 [-1]", "larger BYTES [-1]");
		assertThat(browser.takeWarnings()).isEmpty();
	}

	@Test
	void fillsInTheGoldenExample() {
		Map<String, Tensor> question = FakeModel.question(1.5F, -2);
		try (Server exemplary = Server.ready(() -> new FakeModel(new Example(question, FakeModel.echo(question), 0)))) {
			browser.open(exemplary, "/");
			browser.awaitText("form", "Predict");
			assertThat(browser.value("input-0")).isEqualTo("[1.5,-2.0]");
			browser.click("predict");
			browser.awaitText("answer", "200", " ms", "1.5", "-2.0");
		}
	}

	@Test
	void makesUpAnInputIfThereIsNoExample() {
		open(Identity.of("a INT64 [-1,2], b BYTES [], c BOOL [2,-1,1]"));
		assertThat(browser.value("input-0")).isEqualTo("[[0,0]]");
		assertThat(browser.value("input-1")).isEqualTo("\"\"");
		assertThat(browser.value("input-2")).isEqualTo("[[[false]],\n [[false]]]");
		browser.click("predict");
		browser.awaitText("answer", "200", "same-a [[0,0]]", "same-c [[[false]],[[false]]]");
	}

	@Test
	void predictsForTheInputOfTheForm() {
		open(new TestModel());
		browser.fill("input-0", "[[1, 2],\n[4, 3]]");
		browser.press("input-0", Keys.chord(Keys.CONTROL, Keys.ENTER));
		browser.awaitText("answer", "200", "row sum larger", "0 3.0 second", "1 7.0 first");
		assertThat(browser.takeWarnings()).isEmpty();
	}

	@Test
	void showsIntegersBeyondThePrecisionOfJavaScript() {
		open(Identity.of("a UINT64 [-1]"));
		browser.fill("input-0", "[18446744073709551615, 9007199254740993]");
		browser.click("predict");
		browser.awaitText("answer", "18446744073709551615", "9007199254740993");
	}

	@Test
	void sendsAndShowsNaN() {
		open(Identity.of("a FP32 [-1]"));
		browser.fill("input-0", "[NaN, -Infinity, 1]");
		browser.click("predict");
		browser.awaitText("answer", "200", "NaN", "-Infinity");
	}

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			[[400, 0]] | 400 | The model cannot use the input: 400 is not a number this model likes.
			[[500, 0]] | 500 | The model failed. The server's log has the reason
			[[1, 2, 3]] | 400 | must have shape [-1,2]
			""")
	void showsTheServersError(String input, String status, String sentence) {
		open(new TestModel());
		browser.fill("input-0", input);
		browser.click("predict");
		browser.awaitText("answer", status, sentence);
	}

	@Test
	void doesNotSendInvalidJson() {
		open(new TestModel());
		browser.fill("input-0", "[[1,");
		browser.click("predict");
		browser.awaitText("note-0", "This is not JSON");
		assertThat(browser.find("#input-0:focus[aria-invalid=true]")).hasSize(1);
		assertThat(browser.text("answer")).isEmpty();
		browser.find("[type=reset]").getFirst().click();
		await().untilAsserted(() -> assertThat(browser.value("input-0")).isEqualTo("[[0,0]]"));
		browser.click("predict");
		browser.awaitText("answer", "200");
	}

	@Test
	void followsTheModelFromLoadingToReady() throws IOException {
		CountDownLatch loaded = new CountDownLatch(1);
		try (Server loading = Server.starting(() -> new TestModel(loaded)); Closeable _ = loaded::countDown) {
			browser.open(loading, "/");
			browser.awaitText("state", "LOADING");
			assertThat(browser.text("reason")).isEqualTo("the model is loading");
			assertThat(browser.text("probes")).contains("fails, 503\n/startupz: the model is loading",
					"passes, 200\n/livez", "fails, 503\n/readyz");
			assertThat(browser.find("#form")).noneMatch(WebElement::isDisplayed);
			loaded.countDown();
			browser.awaitText("state", "READY");
			browser.awaitText("changes", "READY the model serves", "LOADING the model is loading");
			browser.awaitText("signature", "x FP32 [-1, 2]");
			assertThat(browser.takeWarnings()).as("nothing is asked that cannot be answered yet").isEmpty();
		}
	}

	@Test
	void showsThatACallIsStuckAndThatItReturns() {
		FakeModel fake = new FakeModel();
		Gate gate = new Gate();
		try (Server stuck = Server.ready(() -> fake, "inference.watchdog.stuck-after=1ms", "inference.deadline=1h")) {
			browser.open(stuck, "/");
			browser.awaitText("form", "Predict");
			fake.behave((inputs) -> {
				gate.pass();
				return FakeModel.echo(inputs);
			});
			browser.click("predict");
			gate.awaitArrivals(1);
			browser.awaitText("state", "STUCK");
			assertThat(browser.text("probes")).contains("passes, 200\n/startupz", "fails, 503\n/livez",
					"fails, 503\n/readyz");
			fake.behave(FakeModel::echo);
			gate.open();
			browser.awaitText("state", "READY");
			browser.awaitText("changes", "READY calls return", "STUCK");
			browser.awaitText("answer", "200");
		}
		finally {
			gate.open();
		}
	}

	@Test
	void showsDrainingAndThenThatTheServerIsGone() throws InterruptedException {
		Server draining = Server.ready(TestModel::new, "inference.drain.delay=1h");
		browser.open(draining, "/");
		browser.awaitText("state", "READY");
		Thread closing = Thread.ofPlatform().start(draining::close);
		try {
			browser.awaitText("state", "DRAINING");
			assertThat(browser.text("probes")).contains("passes, 200\n/livez", "fails, 503\n/readyz");
		}
		finally {
			closing.interrupt();
			closing.join();
		}
		browser.awaitText("state", "UNREACHABLE");
		assertThat(browser.text("probes")).contains("no answer\n/livez: the server does not answer");
	}

	@ParameterizedTest
	@ValueSource(strings = { "/api/predict/some_service", "/api/predict/some_service/" })
	void worksUnderAPrefix(String path) {
		server.swap(new TestModel());
		browser.open(server, path);
		browser.awaitText("curl",
				"'http://localhost:%d/api/predict/some_service/v1/models/m:predict'".formatted(server.port()));
		browser.click("predict");
		browser.awaitText("answer", "200");
		assertThat(browser.find("footer a")).extracting((link) -> link.getDomProperty("href"))
			.contains("http://localhost:%d/api/predict/some_service/openapi.json".formatted(server.port()));
		assertThat(browser.takeWarnings()).isEmpty();
	}

	@Test
	void curlCommandSendsTheSameRequestAsTheForm() throws Exception {
		open(Identity.of("it's BYTES [-1]"));
		browser.fill("input-0", "[\"$HOME `id` \\\\ 'quoted' !\",\n\"second\"]");
		String command = browser.text("curl");
		assertThat(command).startsWith("curl -d ");
		// A shell tells what it hands to curl, each argument on a line.
		Process shell = new ProcessBuilder("sh", "-c", command.replaceFirst("curl", "printf '%s\\\\n'")).start();
		assertThat(new String(shell.getInputStream().readAllBytes(), StandardCharsets.UTF_8).lines()).containsExactly(
				"-d", "{\"inputs\":{\"it's\":[\"$HOME `id` \\\\ 'quoted' !\",\"second\"]}}",
				"http://localhost:%d/v1/models/m:predict".formatted(server.port()));
	}

	@Test
	void neverInterpretsNamesAndTextsAsMarkup() {
		open(Identity.of("<img/src=x/onerror=alert(1)> BYTES [-1]"));
		browser.fill("input-0", "[\"<script>alert(2)</script><b>bold</b>\"]");
		browser.click("predict");
		browser.awaitText("answer", "<script>alert(2)</script><b>bold</b>", "same-<img/src=x/onerror=alert(1)>");
		assertThat(browser.text("signature")).contains("<img/src=x/onerror=alert(1)> BYTES [-1]");
		assertThat(browser.find("img, #answer b, #answer script")).isEmpty();
		assertThat(browser.takeWarnings()).isEmpty();
	}

	@Test
	void chartsRequestsByOutcome() {
		try (Server busy = Server.ready(TestModel::new)) {
			browser.open(busy, "/");
			browser.awaitText("charts", "ok 0");
			for (int i = 0; i < 20; i++) {
				busy.request().body("{\"instances\":[[1,2]]}").post("/").then().statusCode(200);
			}
			busy.request().body("{\"instances\":[[500,2]]}").post("/").then().statusCode(500);
			busy.request().body("[]").post("/").then().statusCode(400);
			browser.awaitText("charts", "ok 20", "invalid 1", "failed 1");
			assertThat(browser.text("charts")).containsPattern("all [1-9][\\d.]*/s")
				.containsPattern("p50 [1-9][\\d.]* (µs|ms)")
				.containsPattern("p99 [1-9][\\d.]* (µs|ms)")
				.contains("waiting 0");
			assertThat(browser.find("rect.ok, rect.invalid, rect.failed")).hasSizeGreaterThanOrEqualTo(3);
		}
	}

	@Test
	void pausesPollingWhileThePageIsHidden() {
		open(new TestModel());
		browser.runScript("""
				Object.defineProperty(document, 'hidden', { value: true, configurable: true });
				return document.dispatchEvent(new Event('visibilitychange'));""");
		AtomicReference<Object> requestCount = new AtomicReference<>();
		await().during(Duration.ofMillis(1500)).until(() -> {
			Object now = requestCount();
			return now.equals(requestCount.getAndSet(now));
		});
		browser.runScript("""
				Object.defineProperty(document, 'hidden', { value: false });
				return document.dispatchEvent(new Event('visibilitychange'));""");
		await().until(() -> !requestCount().equals(requestCount.get()));
	}

	@Test
	void isLegibleInBothColorSchemesAndOnAPhone() throws IOException {
		String faint = new ClassPathResource("faint-texts.js").getContentAsString(StandardCharsets.UTF_8);
		try (Server iris = Server.ready(
				() -> new OnnxModel(
						new ModelProperties("iris", "1", "classpath:model.onnx", 1, "cpu", List.of(), List.of())),
				"inference.model.name=iris")) {
			browser.open(iris, "/");
			browser.awaitText("form", "Predict");
			for (int i = 0; i < 50; i++) {
				iris.request().body((i % 10 == 9) ? "{}" : "{\"instances\":[[6.8,2.8,4.8,1.4]]}").post("/");
			}
			browser.click("predict");
			browser.awaitText("answer", " ms");
			browser.awaitText("charts", "invalid");
			for (String scheme : List.of("light", "dark")) {
				browser.setColorScheme(scheme);
				for (int width : new int[] { 1280, 360 }) {
					browser.resize(width, 740);
					assertThat(browser.runScript("return document.documentElement.scrollWidth <= innerWidth"))
						.isEqualTo(true);
					assertThat(browser.runScript(faint)).isEqualTo(List.of());
					browser.saveScreenshot(SCREENSHOTS.resolve("%s-%d.png".formatted(scheme, width)));
					browser.resize(width, (long) browser.runScript("return document.documentElement.scrollHeight"));
					browser.saveScreenshot(SCREENSHOTS.resolve("%s-%d-whole.png".formatted(scheme, width)));
				}
			}
		}
		finally {
			browser.setColorScheme("");
			browser.resize(1280, 900);
		}
	}

	private static Object requestCount() {
		return browser.runScript("return performance.getEntriesByType('resource').length");
	}

	private static void open(Model served) {
		server.swap(served);
		browser.open(server, "/");
		browser.awaitText("form", "Predict");
	}

}
