package inference.protocol;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.function.Consumer;

import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;

/**
 * A complete answer. It is written only when it is whole, so that a failure on the way
 * still gets its own status.
 *
 * @param status the HTTP status
 * @param body JSON
 * @param retryAfter when to come back, if the answer is to come back
 */
record Answer(int status, ByteArrayOutputStream body, @Nullable Duration retryAfter) {

	static Answer of(int status, Consumer<JsonGenerator> content) {
		return of(status, null, content);
	}

	static Answer of(int status, @Nullable Duration retryAfter, Consumer<JsonGenerator> content) {
		ByteArrayOutputStream body = new ByteArrayOutputStream(512);
		try (JsonGenerator json = Json.generator(body)) {
			json.writeStartObject();
			content.accept(json);
			json.writeEndObject();
		}
		return new Answer(status, body, retryAfter);
	}

	void send(HttpServletResponse response) throws IOException {
		response.setStatus(this.status);
		response.setContentType("application/json");
		response.setContentLength(this.body.size());
		if (this.retryAfter != null) {
			long seconds = Math.max(1, this.retryAfter.plusMillis(999).toSeconds());
			response.setHeader("Retry-After", Long.toString(seconds));
		}
		this.body.writeTo(response.getOutputStream());
	}

}
