package inference.grpc;

import java.util.List;

import openinference.Oip.ModelInferRequest;
import org.junit.jupiter.api.Test;

import inference.admission.Admissions;
import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;

class InferMessageConverterTests {

	@Test
	void keepsTheValueOfAFloatForAnFp64Input() {
		List<TensorSpec> specs = List.of(new TensorSpec("x", DataType.FP64, Shape.of(-1)));
		ModelInferRequest.Builder message = ModelInferRequest.newBuilder();
		message.addInputsBuilder()
			.setName("x")
			.setDatatype("FP64")
			.addShape(1)
			.getContentsBuilder()
			.addFp32Contents(0.1f);
		Tensor tensor = new InferMessageConverter(new Signature(specs, specs), Admissions.reservation())
			.toInferenceRequest(message.build())
			.inputs()
			.values()
			.iterator()
			.next();
		assertThat(tensor.contents().getDouble()).isEqualTo(0.1f);
	}

}
