package inference.protocol;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

import jakarta.servlet.ServletOutputStream;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonGenerator;
import tools.jackson.databind.json.JsonMapper;

/**
 * A complete answer. It is sent only when it is whole, so that a failure on the way still
 * gets its own status.
 *
 * @param status the HTTP status
 * @param json the body, or the part of it that is JSON
 * @param binaries what comes behind the JSON
 * @param retryAfter when to come back, or {@code null}
 */
record Answer(int status, JsonBody json, List<ByteBuffer> binaries, @Nullable Duration retryAfter) {

	/**
	 * An answer of JSON.
	 * @param json a document, or an object to be written as one
	 */
	static Answer of(int status, Object json) {
		return of(status, null, json);
	}

	static Answer of(int status, @Nullable Duration retryAfter, Object json) {
		JsonBody body = new JsonBody();
		body.add((json instanceof byte[] document) ? document : JsonMapper.shared().writeValueAsBytes(json));
		return new Answer(status, body, List.of(), retryAfter);
	}

	/**
	 * An answer with tensors behind its JSON.
	 * @param binaries filled while the JSON is written
	 * @param members writes the JSON object's members
	 */
	static Answer of(ArrayList<ByteBuffer> binaries, Consumer<JsonGenerator> members) {
		JsonBody body = new JsonBody();
		try (JsonGenerator json = Json.generator(body)) {
			json.writeStartObject();
			members.accept(json);
			json.writeEndObject();
		}
		return new Answer(200, body, binaries, null);
	}

	/** Of the body, in bytes, until it is sent. */
	long length() {
		long length = this.json.size();
		for (ByteBuffer binary : this.binaries) {
			length += binary.remaining();
		}
		return length;
	}

	void send(HttpServletRequest request, HttpServletResponse response) throws IOException {
		response.setStatus(this.status);
		String id = (this.status == 200) ? RequestId.given(request) : RequestId.of(request);
		if (id != null) {
			response.setHeader(RequestId.HEADER, id);
		}
		if (this.retryAfter != null) {
			long seconds = Math.max(1, this.retryAfter.plusMillis(999).toSeconds());
			response.setHeader("Retry-After", Long.toString(seconds));
		}
		if (this.binaries.isEmpty()) {
			response.setContentType("application/json");
		}
		else {
			response.setContentType("application/octet-stream");
			response.setIntHeader("Inference-Header-Content-Length", this.json.size());
		}
		response.setContentLengthLong(length());
		ServletOutputStream stream = response.getOutputStream();
		this.json.writeTo(stream);
		for (ByteBuffer binary : this.binaries) {
			stream.write(binary);
		}
	}

}
