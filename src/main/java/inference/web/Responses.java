package inference.web;

import org.springframework.http.MediaType;
import org.springframework.http.ResponseEntity;

/**
 * JSON answers of controllers. They are JSON whatever the client accepts, because probes
 * and scripts send all kinds of headers.
 */
final class Responses {

	private Responses() {
	}

	static ResponseEntity<Object> ok(Object body) {
		return of(200, body);
	}

	static ResponseEntity<Object> of(int status, Object body) {
		return ResponseEntity.status(status).contentType(MediaType.APPLICATION_JSON).body(body);
	}

}
