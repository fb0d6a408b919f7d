package inference.web;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Collections;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.core.io.ClassPathResource;
import org.springframework.http.InvalidMediaTypeException;
import org.springframework.http.MediaType;
import org.springframework.util.function.SingletonSupplier;
import org.springframework.web.context.request.ServletWebRequest;

/**
 * The page that browsers get in place of the summary. Its headers keep it to what it is
 * made of: the style and the script in it, and this server.
 */
final class Console {

	private static final Pattern INLINE = Pattern.compile("<(style|script)>(.*?)</\\1>", Pattern.DOTALL);

	private static final String POLICY = "default-src 'none'; connect-src 'self'; img-src data:; base-uri 'none'; "
			+ "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

	private final boolean enabled;

	// Read at the first request, so that the start does not wait for it.
	private final Supplier<Page> page = SingletonSupplier.of(Page::read);

	Console(boolean enabled) {
		this.enabled = enabled;
	}

	/**
	 * Answers with the page if that is what is asked for.
	 * @return {@code false} if it is not, and the summary is the answer
	 */
	boolean answers(HttpServletRequest request, HttpServletResponse response) throws IOException {
		if (!this.enabled) {
			return false;
		}
		response.setHeader("Vary", "Accept");
		if (!isWanted(Collections.list(request.getHeaders("Accept")))) {
			return false;
		}
		this.page.get().send(new ServletWebRequest(request, response), response);
		return true;
	}

	// By name only: probes and scripts send wildcards, and must not fail by whatever else
	// they send.
	private static boolean isWanted(List<String> accept) {
		try {
			List<MediaType> types = MediaType.parseMediaTypes(accept);
			double html = quality(types, MediaType.TEXT_HTML);
			return html > 0 && html >= quality(types, MediaType.APPLICATION_JSON);
		}
		catch (InvalidMediaTypeException ex) {
			return false;
		}
	}

	private static double quality(List<MediaType> types, MediaType type) {
		return types.stream()
			.filter(type::equalsTypeAndSubtype)
			.mapToDouble(MediaType::getQualityValue)
			.max()
			.orElse(0);
	}

	/**
	 * The page, with what is computed from it.
	 *
	 * @param html the page
	 * @param tag its ETag; there is no other way to tell, for files in an image are dated
	 * 1970
	 * @param policy its Content-Security-Policy
	 */
	private record Page(String html, String tag, String policy) {

		private static Page read() {
			try {
				// A browser hashes what it has parsed, which has no carriage returns.
				String html = new ClassPathResource("console.html").getContentAsString(StandardCharsets.UTF_8)
					.replace("\r\n", "\n");
				String sources = INLINE.matcher(html)
					.results()
					.map((inline) -> "; %s-src 'sha256-%s'".formatted(inline.group(1), hash(inline.group(2))))
					.collect(Collectors.joining());
				return new Page(html, "\"%s\"".formatted(hash(html)), POLICY + sources);
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}

		private void send(ServletWebRequest request, HttpServletResponse response) throws IOException {
			response.setHeader("Cache-Control", "no-cache");
			response.setHeader("Content-Security-Policy", this.policy);
			if (!request.checkNotModified(this.tag)) {
				byte[] body = this.html.getBytes(StandardCharsets.UTF_8);
				response.setContentType("text/html;charset=UTF-8");
				response.setContentLength(body.length);
				response.getOutputStream().write(body);
			}
		}

		private static String hash(String text) {
			try {
				byte[] hash = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
				return Base64.getEncoder().encodeToString(hash);
			}
			catch (NoSuchAlgorithmException ex) {
				throw new IllegalStateException(ex);
			}
		}

	}

}
