package inference.web;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Comparator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import org.springframework.core.io.ClassPathResource;
import org.springframework.http.CacheControl;
import org.springframework.http.HttpHeaders;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RequestHeader;
import org.springframework.web.bind.annotation.RestController;

import inference.health.ProbeResults;
import inference.health.Probes;
import inference.model.ModelProperties;

/**
 * Answers {@code GET /} with the console page for browsers and with a summary for all
 * other clients, and serves the OpenAPI document.
 */
@RestController
class HomeController {

	private static final Pattern INLINE_ELEMENTS = Pattern.compile("<(style|script)>(.*?)</\\1>", Pattern.DOTALL);

	private static final String BASE_CONTENT_SECURITY_POLICY = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
			+ "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

	private final ModelProperties modelProperties;

	private final Probes probes;

	private final boolean hasConsole;

	private final ResponseEntity<Object> consolePage;

	private final byte[] openApi;

	HomeController(ModelProperties modelProperties, Probes probes, ConsoleProperties console)
			throws IOException, NoSuchAlgorithmException {
		this.modelProperties = modelProperties;
		this.probes = probes;
		this.hasConsole = console.enabled();
		this.openApi = new ClassPathResource("openapi.json").getContentAsByteArray();
		// The Content-Security-Policy allows the page's own style and script by their
		// hashes. A browser replaces \r\n by \n before it hashes them.
		String html = new ClassPathResource("console.html").getContentAsString(StandardCharsets.UTF_8)
			.replace("\r\n", "\n");
		MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
		String contentSecurityPolicy = INLINE_ELEMENTS.matcher(html)
			.results()
			.map((inline) -> "; %s-src 'sha256-%s'".formatted(inline.group(1), sha256Base64(sha256, inline.group(2))))
			.collect(Collectors.joining("", BASE_CONTENT_SECURITY_POLICY, ""));
		this.consolePage = ResponseEntity.ok()
			.varyBy(HttpHeaders.ACCEPT)
			.eTag(sha256Base64(sha256, html))
			.cacheControl(CacheControl.noCache())
			.header("Content-Security-Policy", contentSecurityPolicy)
			.contentType(new MediaType(MediaType.TEXT_HTML, StandardCharsets.UTF_8))
			.body(html.getBytes(StandardCharsets.UTF_8));
	}

	@GetMapping("/")
	ResponseEntity<Object> home(@RequestHeader HttpHeaders headers) {
		return (this.hasConsole && prefersHtml(headers)) ? this.consolePage
				: ResponseEntity.ok().varyBy(HttpHeaders.ACCEPT).body(summary());
	}

	@GetMapping("/openapi.json")
	byte[] openApi() {
		return this.openApi;
	}

	private Object summary() {
		ProbeResults results = this.probes.results();
		return ModelDescriptions.newObject()
			.put("status", "alive")
			.put("name", this.modelProperties.name())
			.put("version", this.modelProperties.version())
			.put("state", results.stateName())
			.put("reason", results.reason())
			.put("started", results.started())
			.put("live", results.live())
			.put("ready", results.ready());
	}

	// Only clients that prefer text/html get the page. Probes and scripts accept any
	// type, or send an Accept header that is not valid.
	private static boolean prefersHtml(HttpHeaders headers) {
		try {
			return headers.getAccept()
				.stream()
				.filter((type) -> type.getQualityValue() > 0)
				.max(Comparator.comparingDouble(MediaType::getQualityValue))
				.filter(MediaType.TEXT_HTML::equalsTypeAndSubtype)
				.isPresent();
		}
		catch (InvalidMediaTypeException ex) {
			return false;
		}
	}

	private static String sha256Base64(MessageDigest sha256, String text) {
		return Base64.getEncoder().encodeToString(sha256.digest(text.getBytes(StandardCharsets.UTF_8)));
	}

}
