package com.acme.fraud;

import java.util.Map;
import java.util.Objects;

import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

import inference.admission.Admission;
import inference.model.Shape;
import inference.model.Tensor;

/**
 * A company's own endpoint. Its calls wait in the same queue as all others, and are
 * counted and refused like them.
 */
@RestController
class ScoreController {

	private final Admission admission;

	ScoreController(Admission admission) {
		this.admission = admission;
	}

	@PostMapping("/score")
	float[] score(@RequestBody float[] amounts) {
		Map<String, Tensor> inputs = Map.of("amount", Tensor.ofFloats(Shape.of(amounts.length), amounts));
		return Objects.requireNonNull(this.admission.predict(inputs).get("score")).floats();
	}

}
