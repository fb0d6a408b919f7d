package bench.contender;

import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;

import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * A plain Spring MVC service for an ONNX model: {@code @RequestBody} records for the Open
 * Inference Protocol, and ONNX Runtime on the request's thread. All settings are the
 * defaults.
 */
@SpringBootApplication
public class PlainService {

	public static void main(String[] args) {
		SpringApplication.run(PlainService.class, args);
	}

	@Bean
	OrtSession session(@Value("${model.location}") String location) throws OrtException {
		return OrtEnvironment.getEnvironment().createSession(location);
	}

	/** The request body. */
	record InferRequest(List<Input> inputs) {
	}

	/** An input tensor. */
	record Input(String name, List<Long> shape, String datatype, List<Number> data) {
	}

	/** The response body. */
	record InferResponse(String model_name, List<Output> outputs) {
	}

	/** An output tensor. */
	record Output(String name, List<Long> shape, String datatype, Object data) {
	}

	/** The prediction endpoint. */
	@RestController
	static class InferController {

		private final OrtEnvironment environment = OrtEnvironment.getEnvironment();

		private final OrtSession session;

		InferController(OrtSession session) {
			this.session = session;
		}

		@PostMapping("/v2/models/{model}/infer")
		InferResponse infer(@PathVariable String model, @RequestBody InferRequest request) throws OrtException {
			Map<String, OnnxTensor> tensors = new HashMap<>();
			try {
				for (Input input : request.inputs()) {
					tensors.put(input.name(), tensor(input));
				}
				try (OrtSession.Result result = this.session.run(tensors)) {
					List<Output> outputs = new ArrayList<>();
					for (Map.Entry<String, OnnxValue> output : result) {
						outputs.add(output(output.getKey(), (OnnxTensor) output.getValue()));
					}
					return new InferResponse(model, outputs);
				}
			}
			finally {
				tensors.values().forEach(OnnxTensor::close);
			}
		}

		private OnnxTensor tensor(Input input) throws OrtException {
			long[] shape = input.shape().stream().mapToLong(Long::longValue).toArray();
			if (input.datatype().equals("INT64")) {
				long[] longs = input.data().stream().mapToLong(Number::longValue).toArray();
				return OnnxTensor.createTensor(this.environment, LongBuffer.wrap(longs), shape);
			}
			float[] floats = new float[input.data().size()];
			for (int i = 0; i < floats.length; i++) {
				floats[i] = input.data().get(i).floatValue();
			}
			return OnnxTensor.createTensor(this.environment, FloatBuffer.wrap(floats), shape);
		}

		private static Output output(String name, OnnxTensor tensor) throws OrtException {
			List<Long> shape = new ArrayList<>();
			for (long dimension : tensor.getInfo().getShape()) {
				shape.add(dimension);
			}
			String dataType = switch (tensor.getInfo().type) {
				case STRING -> "BYTES";
				case INT64 -> "INT64";
				default -> "FP32";
			};
			return new Output(name, shape, dataType, tensor.getValue());
		}

	}

}
