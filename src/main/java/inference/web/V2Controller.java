package inference.web;

import org.jspecify.annotations.Nullable;

import org.springframework.http.ResponseEntity;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RestController;

import inference.admission.Admission;
import inference.admission.Statistics;
import inference.health.Probe;
import inference.health.Probes;
import inference.health.Verdict;

/**
 * What the Open Inference Protocol v2 and Triton's extensions answer besides predictions.
 */
@RestController
class V2Controller {

	private final Metadata metadata;

	private final Probes probes;

	private final Admission admission;

	private final Statistics statistics;

	private final ServedName served;

	V2Controller(Metadata metadata, Probes probes, Admission admission, Statistics statistics, ServedName served) {
		this.metadata = metadata;
		this.probes = probes;
		this.admission = admission;
		this.statistics = statistics;
		this.served = served;
	}

	@GetMapping({ "/v2", "/v2/" })
	ResponseEntity<Object> server() {
		return Responses.ok(this.metadata.server());
	}

	@GetMapping("/v2/health/live")
	ResponseEntity<Object> live() {
		return health(Probe.LIVENESS);
	}

	@GetMapping("/v2/health/ready")
	ResponseEntity<Object> ready() {
		return health(Probe.READINESS);
	}

	@GetMapping({ "/v2/models/{model}", "/v2/models/{model}/versions/{version}" })
	ResponseEntity<Object> model(@PathVariable String model, @PathVariable(required = false) @Nullable String version) {
		this.served.require(model, version, null);
		return Responses.ok(this.metadata.model(this.admission.metadata()));
	}

	@GetMapping({ "/v2/models/{model}/ready", "/v2/models/{model}/versions/{version}/ready" })
	ResponseEntity<Object> modelReady(@PathVariable String model,
			@PathVariable(required = false) @Nullable String version) {
		this.served.require(model, version, null);
		Verdict readiness = this.probes.ask(Probe.READINESS);
		return Responses.of(status(readiness), this.metadata.modelReady(readiness));
	}

	@GetMapping("/v2/models/stats")
	ResponseEntity<Object> statistics() {
		return Responses.ok(this.metadata.statistics(this.statistics));
	}

	@GetMapping({ "/v2/models/{model}/stats", "/v2/models/{model}/versions/{version}/stats" })
	ResponseEntity<Object> modelStatistics(@PathVariable String model,
			@PathVariable(required = false) @Nullable String version) {
		this.served.require(model, version, null);
		return statistics();
	}

	/** Answers predictions by another model than the served one. */
	@PostMapping({ "/v2/models/{model}/infer", "/v2/models/{model}/versions/{version}/infer" })
	void infer(@PathVariable String model, @PathVariable(required = false) @Nullable String version) {
		this.served.require(model, version, null);
	}

	private ResponseEntity<Object> health(Probe probe) {
		Verdict verdict = this.probes.ask(probe);
		return Responses.of(status(verdict), this.metadata.health(verdict));
	}

	private static int status(Verdict verdict) {
		return verdict.passes() ? 200 : 503;
	}

}
