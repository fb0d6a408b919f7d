package inference;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.lifecycle.State;
import inference.model.DeviceLostException;
import inference.model.FakeModel;
import inference.model.UnusableModelException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.emptyString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

/**
 * Who gets the console, and what its headers say.
 */
class ConsoleTests {

	private static final String BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

	private static Server server;

	@BeforeAll
	static void start() {
		server = Server.ready(TestModel::new);
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@ParameterizedTest
	@ValueSource(strings = { "/", "/api/predict/some_service", "/api/predict/some_service/" })
	void aBrowserGetsThePage(String path) {
		server.request()
			.accept(BROWSER)
			.redirects()
			.follow(false)
			.get(path)
			.then()
			.statusCode(200)
			.contentType("text/html;charset=UTF-8")
			.header("Vary", "Accept")
			.body(containsString("<h1"));
	}

	@ParameterizedTest
	@ValueSource(strings = { "*/*", "application/json", "text/*", "text/plain", "text/html;q=0",
			"text/html;q=0.8, application/json", "application/json, text/plain, */*", "nonsense",
			"text/html;q=nonsense", " " })
	void everybodyElseGetsTheSummary(String accept) {
		server.request()
			.header("Accept", accept)
			.get("/")
			.then()
			.statusCode(200)
			.contentType("application/json")
			.header("Vary", "Accept")
			.header("ETag", nullValue())
			.body("state", equalTo("READY"));
	}

	@Test
	void whatHasABodyIsAPrediction() {
		for (String method : List.of("GET", "POST")) {
			server.request()
				.accept(BROWSER)
				.body("{\"instances\":[[1,2]]}")
				.request(method, "/")
				.then()
				.statusCode(200)
				.contentType("application/json")
				.body("predictions[0].sum", equalTo(3.0));
		}
	}

	@Test
	void onlyTheRootIsAPage() {
		for (String path : List.of("/v2", "/v1/models", "/openapi.json")) {
			server.request().accept(BROWSER).get(path).then().statusCode(200).contentType("application/json");
		}
	}

	@Test
	void headersAreThoseOfThePageWithoutIt() {
		Response page = get(server).extract().response();
		Response head = server.request().accept(BROWSER).head("/");
		assertThat(head.statusCode()).isEqualTo(200);
		assertThat(head.asByteArray()).isEmpty();
		for (String header : List.of("Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary",
				"Content-Security-Policy")) {
			assertThat(head.header(header)).as(header).isNotNull().isEqualTo(page.header(header));
		}
	}

	@Test
	void isSentAgainOnlyIfItHasChanged() {
		String tag = get(server).header("Cache-Control", "no-cache")
			.header("Last-Modified", nullValue())
			.extract()
			.header("ETag");
		server.request()
			.accept(BROWSER)
			.header("If-None-Match", tag)
			.get("/")
			.then()
			.statusCode(304)
			.header("ETag", tag)
			.header("Vary", "Accept")
			.header("Cache-Control", "no-cache")
			.body(emptyString());
		server.request().accept(BROWSER).header("If-None-Match", "\"other\"").get("/").then().statusCode(200);
		server.request().header("If-None-Match", tag).get("/").then().statusCode(200);
	}

	@Test
	void allowsItsOwnStyleAndScriptAndNothingElse() throws Exception {
		Response page = get(server).extract().response();
		String policy = page.header("Content-Security-Policy");
		assertThat(policy.split("; ")).startsWith("default-src 'none'", "connect-src 'self'")
			.contains("style-src 'sha256-%s'".formatted(hash(page.asString(), "style")),
					"script-src 'sha256-%s'".formatted(hash(page.asString(), "script")));
		assertThat(policy).doesNotContain("unsafe", "*", "http");
	}

	@Test
	void needsNothingFromElsewhere() {
		String page = get(server).extract().asString().replace("http://www.w3.org/2000/svg", "");
		assertThat(page).doesNotContain("http:", "https:", "//localhost", "src=", "@import", " url(", "innerHTML",
				"insertAdjacent", "eval(", "<base");
	}

	@Test
	void isThereWhileTheModelIsLoading() throws IOException {
		CountDownLatch loaded = new CountDownLatch(1);
		try (Server loading = Server.starting(() -> new TestModel(loaded)); Closeable _ = loaded::countDown) {
			get(loading);
			summary(loading, State.LOADING, false, true, false);
			loaded.countDown();
			loading.await(State.READY);
			summary(loading, State.READY, true, true, true);
		}
	}

	@Test
	void isThereWhenTheModelFailed() {
		try (Server failed = Server.starting(() -> {
			throw new UnusableModelException("There is no model at /models.", "Mount one.", null);
		})) {
			failed.await(State.FAILED);
			get(failed);
			summary(failed, State.FAILED, false, true, false);
		}
	}

	@Test
	void isThereWhenTheDeviceIsLost() {
		FakeModel model = new FakeModel();
		try (Server stuck = Server.ready(() -> model)) {
			model.behave((_) -> {
				throw new DeviceLostException("CUDA error 700", new IllegalStateException());
			});
			stuck.request().body("{\"instances\":[1]}").post("/").then().statusCode(500);
			get(stuck);
			summary(stuck, State.STUCK, true, false, false);
		}
	}

	@Test
	void isThereDuringTheDrain() throws InterruptedException {
		Server draining = Server.ready(TestModel::new, "inference.drain.delay=1h");
		Thread closing = Thread.ofPlatform().start(draining::close);
		try {
			draining.await(State.DRAINING);
			get(draining);
			summary(draining, State.DRAINING, true, true, false);
		}
		finally {
			closing.interrupt();
			closing.join();
		}
	}

	@Test
	void canBeSwitchedOff() {
		try (Server off = Server.ready(TestModel::new, "inference.console.enabled=false")) {
			off.request()
				.accept(BROWSER)
				.get("/")
				.then()
				.statusCode(200)
				.contentType("application/json")
				.header("Vary", nullValue())
				.body("state", equalTo("READY"));
		}
	}

	private static void summary(Server asked, State state, boolean started, boolean live, boolean ready) {
		asked.request()
			.get("/")
			.then()
			.statusCode(200)
			.body("state", equalTo(state.name()))
			.body("started", equalTo(started))
			.body("live", equalTo(live))
			.body("ready", equalTo(ready));
	}

	private static String hash(String page, String element) throws NoSuchAlgorithmException {
		Matcher content = Pattern.compile("<%s>(.*)</%s>".formatted(element, element), Pattern.DOTALL).matcher(page);
		assertThat(content.find()).isTrue();
		byte[] hash = MessageDigest.getInstance("SHA-256").digest(content.group(1).getBytes(StandardCharsets.UTF_8));
		return Base64.getEncoder().encodeToString(hash);
	}

	private static ValidatableResponse get(Server asked) {
		return asked.request().accept(BROWSER).get("/").then().statusCode(200).contentType("text/html;charset=UTF-8");
	}

}
