package inference.web;

import org.jspecify.annotations.Nullable;

import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

/**
 * What TensorFlow Serving and KServe v1 answer besides predictions.
 */
@RestController
class V1Controller {

	private final Metadata metadata;

	private final ServedName served;

	V1Controller(Metadata metadata, ServedName served) {
		this.metadata = metadata;
		this.served = served;
	}

	@GetMapping("/v1/models")
	ResponseEntity<Object> models() {
		return Responses.ok(this.metadata.models());
	}

	@GetMapping({ "/v1/models/{model:[^:]+}", "/v1/models/{model}/versions/{version:[^:]+}",
			"/v1/models/{model}/labels/{label:[^:]+}" })
	ResponseEntity<Object> status(@PathVariable String model, @PathVariable(required = false) @Nullable String version,
			@PathVariable(required = false) @Nullable String label) {
		this.served.require(model, version, label);
		return Responses.ok(this.metadata.modelStatus());
	}

	/** Answers predictions by another model than the served one. */
	@PostMapping({ "/v1/models/{model}:predict", "/v1/models/{model}/versions/{version}:predict",
			"/v1/models/{model}/labels/{label}:predict" })
	void predict(@PathVariable String model, @PathVariable(required = false) @Nullable String version,
			@PathVariable(required = false) @Nullable String label) {
		this.served.require(model, version, label);
	}

}
