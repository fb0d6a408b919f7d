package inference.web;

import java.io.IOException;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.Resource;
import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;
import org.jspecify.annotations.Nullable;

/**
 * Answers {@code GET /}, by the console for browsers and by a summary for all others, and
 * the OpenAPI document.
 */
@RestController
class HomeController {

	private final Metadata metadata;

	private final Console console;

	HomeController(Metadata metadata, ConsoleProperties properties) {
		this.metadata = metadata;
		this.console = new Console(properties.enabled());
	}

	@GetMapping("/")
	@Nullable ResponseEntity<Object> home(HttpServletRequest request, HttpServletResponse response) throws IOException {
		return this.console.answers(request, response) ? null : Responses.ok(this.metadata.summary());
	}

	@GetMapping("/openapi.json")
	ResponseEntity<Resource> openApi() {
		return ResponseEntity.ok().contentType(MediaType.APPLICATION_JSON).body(new ClassPathResource("openapi.json"));
	}

}
