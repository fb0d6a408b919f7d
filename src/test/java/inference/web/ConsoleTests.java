package inference.web;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.restassured.response.Response;
import io.restassured.response.ValidatableResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import inference.Server;
import inference.TestModel;

import static org.assertj.core.api.Assertions.assertThat;
import static org.hamcrest.Matchers.containsString;
import static org.hamcrest.Matchers.containsStringIgnoringCase;
import static org.hamcrest.Matchers.emptyString;
import static org.hamcrest.Matchers.equalTo;
import static org.hamcrest.Matchers.nullValue;

/**
 * Which requests the console page answers, and what its headers say.
 */
class ConsoleTests {

	private static final String BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

	private final Server server = Server.shared();

	@ParameterizedTest
	@ValueSource(strings = { "/", "/api/predict/some_service", "/api/predict/some_service/" })
	void answersABrowserWithThePage(String path) {
		this.server.request()
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
	void answersOtherClientsWithTheSummary(String accept) {
		this.server.request()
			.header("Accept", accept)
			.get("/")
			.then()
			.statusCode(200)
			.contentType("application/json")
			.header("Vary", containsStringIgnoringCase("accept"))
			.header("ETag", nullValue())
			.body("state", equalTo("READY"));
	}

	@Test
	void answersARequestWithABodyWithAPrediction() {
		for (String method : List.of("GET", "POST")) {
			this.server.request()
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
	void answersOnlyTheRootWithAPage() {
		for (String path : List.of("/v2", "/v1/models", "/openapi.json")) {
			this.server.request().accept(BROWSER).get(path).then().statusCode(200).contentType("application/json");
		}
	}

	@Test
	void answersHeadWithTheHeadersOfThePage() {
		Response page = get(this.server).extract().response();
		Response head = this.server.request().accept(BROWSER).head("/");
		assertThat(head.statusCode()).isEqualTo(200);
		assertThat(head.asByteArray()).isEmpty();
		for (String header : List.of("Content-Type", "Content-Length", "ETag", "Cache-Control", "Vary",
				"Content-Security-Policy")) {
			assertThat(head.header(header)).as(header).isNotNull().isEqualTo(page.header(header));
		}
	}

	@Test
	void sendsThePageAgainOnlyIfItHasChanged() {
		String tag = get(this.server).header("Cache-Control", "no-cache")
			.header("Last-Modified", nullValue())
			.extract()
			.header("ETag");
		this.server.request()
			.accept(BROWSER)
			.header("If-None-Match", tag)
			.get("/")
			.then()
			.statusCode(304)
			.header("ETag", tag)
			.header("Vary", "Accept")
			.header("Cache-Control", "no-cache")
			.body(emptyString());
		this.server.request().accept(BROWSER).header("If-None-Match", "\"other\"").get("/").then().statusCode(200);
		this.server.request().header("If-None-Match", tag).get("/").then().statusCode(200);
	}

	@Test
	void allowsItsOwnStyleAndScriptAndNothingElse() throws Exception {
		Response page = get(this.server).extract().response();
		String policy = page.header("Content-Security-Policy");
		assertThat(policy.split("; ")).startsWith("default-src 'none'", "connect-src 'self'")
			.contains("style-src 'sha256-%s'".formatted(hash(page.asString(), "style")),
					"script-src 'sha256-%s'".formatted(hash(page.asString(), "script")));
		assertThat(policy).doesNotContain("unsafe", "*", "http");
	}

	@Test
	void pageLoadsNothingFromOtherServers() {
		String page = get(this.server).extract().asString().replace("http://www.w3.org/2000/svg", "");
		assertThat(page).doesNotContain("http:", "https:", "//localhost", "src=", "@import", " url(", "innerHTML",
				"insertAdjacent", "eval(", "<base");
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
				.body("state", equalTo("READY"));
		}
	}

	private static String hash(String page, String element) throws NoSuchAlgorithmException {
		Matcher content = Pattern.compile("<%s>(.*)</%s>".formatted(element, element), Pattern.DOTALL).matcher(page);
		assertThat(content.find()).isTrue();
		byte[] hash = MessageDigest.getInstance("SHA-256").digest(content.group(1).getBytes(StandardCharsets.UTF_8));
		return Base64.getEncoder().encodeToString(hash);
	}

	private static ValidatableResponse get(Server server) {
		return server.request().accept(BROWSER).get("/").then().statusCode(200).contentType("text/html;charset=UTF-8");
	}

}
