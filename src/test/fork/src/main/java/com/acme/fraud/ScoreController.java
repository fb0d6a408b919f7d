package com.acme.fraud;

import java.util.Map;
import java.util.Objects;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;

import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

import inference.admission.Admission;
import inference.model.Shape;
import inference.model.Tensor;

/**
 * A company's own endpoint and metric. Its calls wait in the same queue as all other calls,
 * and are counted and refused in the same way.
 */
@RestController
class ScoreController {

	private final Admission admission;

	private final Counter suspiciousCounter;

	ScoreController(Admission admission, MeterRegistry registry) {
		this.admission = admission;
		this.suspiciousCounter = registry.counter("fraud.suspicious");
	}

	@PostMapping("/score")
	float[] score(@RequestBody float[] amounts) {
		Map<String, Tensor> inputs = Map.of("amount", Tensor.ofFloats(Shape.of(amounts.length), amounts));
		float[] scores = Objects.requireNonNull(this.admission.predict(inputs).get("score")).floats();
		for (float score : scores) {
			if (score > 0.9) {
				this.suspiciousCounter.increment();
			}
		}
		return scores;
	}

}
