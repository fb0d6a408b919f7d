package inference.codec;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

import inference.model.DataType;
import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Requests with tensors of any type and shape, in every body format, to a model that
 * returns its inputs. The tensors must come back unchanged.
 */
class RoundTripTests {

	private static final String SEED = "20260101";

	@Property(tries = 1000, seed = SEED)
	void returnsRowsUnchanged(@ForAll("plans") List<TensorPlan> plans, @ForAll long rows, @ForAll Random random) {
		List<SentTensor> sentTensors = randomTensors(plans, Math.floorMod(rows, 4), true, true, random);
		ArrayNode instances = Tensors.JSON.createArrayNode();
		for (int row = 0; row < sentTensors.getFirst().tensor().shape().dimension(0); row++) {
			ObjectNode named = Tensors.JSON.createObjectNode();
			for (SentTensor sentTensor : sentTensors) {
				named.set(sentTensor.inputName(), Tensors.nested(sentTensor.tensor()).get(row));
			}
			boolean isBare = sentTensors.size() == 1 && random.nextBoolean();
			instances.add(isBare ? named.get(sentTensors.getFirst().inputName()) : named);
		}
		JsonNode answer = postJson(sentTensors, Tensors.JSON.createObjectNode().set("instances", instances), random);
		for (SentTensor sentTensor : sentTensors) {
			ArrayNode column = Tensors.JSON.createArrayNode();
			answer.get("predictions")
				.forEach((row) -> column.add((sentTensors.size() == 1) ? row : row.get(sentTensor.outputName())));
			assertThat(column.size()).isEqualTo(instances.size());
			sentTensor.assertReturned(Tensors.read(sentTensor.spec().dataType(), sentTensor.tensor().shape(), column));
		}
	}

	@Property(tries = 1000, seed = SEED)
	void returnsColumnsUnchanged(@ForAll("plans") List<TensorPlan> plans, @ForAll Random random) {
		List<SentTensor> sentTensors = randomTensors(plans, -1, true, true, random);
		ObjectNode columns = Tensors.JSON.createObjectNode();
		sentTensors.forEach((sentTensor) -> columns.set(sentTensor.inputName(), Tensors.nested(sentTensor.tensor())));
		boolean isBare = sentTensors.size() == 1 && random.nextBoolean();
		JsonNode answer = postJson(sentTensors, Tensors.JSON.createObjectNode()
			.set("inputs", isBare ? columns.get(sentTensors.getFirst().inputName()) : columns), random);
		for (SentTensor sentTensor : sentTensors) {
			JsonNode column = (sentTensors.size() == 1) ? answer.get("outputs")
					: answer.get("outputs").get(sentTensor.outputName());
			assertThat(column.size()).isEqualTo(Tensors.nested(sentTensor.tensor()).size());
			sentTensor.assertReturned(Tensors.read(sentTensor.spec().dataType(), sentTensor.tensor().shape(), column));
		}
	}

	@Property(tries = 1000, seed = SEED)
	void returnsOipJsonUnchanged(@ForAll("plans") List<TensorPlan> plans, @ForAll Random random) {
		List<SentTensor> sentTensors = randomTensors(plans, -1, true, false, random);
		ArrayNode inputs = Tensors.JSON.createArrayNode();
		for (SentTensor sentTensor : sentTensors) {
			boolean isFlat = sentTensor.tensor().shape().rank() == 0 || random.nextBoolean();
			JsonNode data = isFlat ? Tensors.flat(sentTensor.tensor()) : Tensors.nested(sentTensor.tensor());
			ObjectNode input = Tensors.JSON.createObjectNode();
			if (random.nextBoolean()) {
				input.set("data", data);
			}
			input.setAll(sentTensor.inputJson());
			input.set("data", data);
			inputs.insert(random.nextInt(inputs.size() + 1), input);
		}
		JsonNode answer = postJson(sentTensors, Tensors.JSON.createObjectNode().set("inputs", inputs), random);
		for (int i = 0; i < sentTensors.size(); i++) {
			sentTensors.get(i).assertReturned(answer.get("outputs").get(i), null);
		}
	}

	@Property(tries = 1000, seed = SEED)
	void returnsOipBinaryDataUnchanged(@ForAll("plans") List<TensorPlan> plans, @ForAll Random random) {
		List<SentTensor> sentTensors = randomTensors(plans, -1, false, false, random);
		ArrayNode inputs = Tensors.JSON.createArrayNode();
		ByteArrayOutputStream tail = new ByteArrayOutputStream();
		for (SentTensor sentTensor : sentTensors) {
			ObjectNode input = sentTensor.inputJson();
			input.putObject("parameters").put("binary_data_size", sentTensor.bytes().length);
			inputs.add(input);
			tail.writeBytes(sentTensor.bytes());
		}
		ObjectNode json = Tensors.JSON.createObjectNode().set("inputs", inputs);
		json.putObject("parameters").put("binary_data_output", true);
		byte[] text = Tensors.JSON.writeValueAsBytes(json);
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		body.writeBytes(text);
		body.writeBytes(tail.toByteArray());
		EchoCodec.Response response = exchange(sentTensors, body.toByteArray(), Integer.toString(text.length));
		JsonNode answer = Tensors.JSON.readTree(response.json());
		ByteBuffer unreadTail = ByteBuffer.wrap(response.tail());
		for (int i = 0; i < sentTensors.size(); i++) {
			sentTensors.get(i).assertReturned(answer.get("outputs").get(i), unreadTail);
		}
		assertThat(unreadTail.hasRemaining()).isFalse();
	}

	@Provide
	Arbitrary<List<TensorPlan>> plans() {
		Arbitrary<List<Long>> dimensions = Arbitraries.longs().between(0, 4).list().ofMaxSize(4);
		return Combinators.combine(Arbitraries.of(DataType.class), dimensions, Arbitraries.integers().between(0, 15))
			.as(TensorPlan::new)
			.list()
			.ofMinSize(1)
			.ofMaxSize(3);
	}

	private static List<SentTensor> randomTensors(List<TensorPlan> plans, int rows, boolean asJson, boolean base64,
			Random random) {
		List<SentTensor> sentTensors = new ArrayList<>();
		for (TensorPlan plan : plans) {
			// Instances are rows of all tensors, or of none.
			int bits = (rows < 0) ? plan.variableBits()
					: (plan.variableBits() & ~1) | (plans.getFirst().variableBits() & 1);
			sentTensors.add(new TensorPlan(plan.dataType(), plan.dimensions(), bits).send("in-" + sentTensors.size(),
					rows, asJson, base64, random));
		}
		return sentTensors;
	}

	private static JsonNode postJson(List<SentTensor> sentTensors, JsonNode json, Random random) {
		byte[] text = Tensors.JSON.writeValueAsBytes(json);
		String length = (random.nextInt(3) == 0) ? Integer.toString(text.length) : null;
		EchoCodec.Response response = exchange(sentTensors, text, length);
		assertThat(response.tail()).isEmpty();
		return Tensors.JSON.readTree(response.json());
	}

	private static EchoCodec.Response exchange(List<SentTensor> sentTensors, byte[] body, @Nullable String jsonLength) {
		Signature signature = new Signature(sentTensors.stream().map(SentTensor::spec).toList(),
				sentTensors.stream()
					.map((sentTensor) -> new TensorSpec(sentTensor.outputName(), sentTensor.spec().dataType(),
							sentTensor.spec().shape()))
					.toList());
		return EchoCodec.exchange(signature, body, jsonLength);
	}

	/**
	 * The type and the dimensions of a random tensor.
	 *
	 * @param variableBits has a bit for each dimension that is variable in the signature
	 */
	record TensorPlan(DataType dataType, List<Long> dimensions, int variableBits) {

		SentTensor send(String name, int rows, boolean asJson, boolean base64, Random random) {
			List<Long> shape = new ArrayList<>(this.dimensions);
			if (rows >= 0) {
				shape.addFirst((long) rows);
			}
			List<Long> declaredDimensions = new ArrayList<>(shape);
			boolean isVisible = true;
			for (int i = 0; i < shape.size(); i++) {
				if ((this.variableBits >> i & 1) != 0) {
					declaredDimensions.set(i, Shape.VARIABLE);
					// Nested JSON does not show the dimensions inside a dimension of 0.
					shape.set(i, isVisible ? shape.get(i) : 0L);
				}
				isVisible &= shape.get(i) != 0;
			}
			return new SentTensor(new TensorSpec(name, this.dataType, shape(declaredDimensions)),
					Tensors.random(this.dataType, shape(shape), asJson, base64, random));
		}

		private static Shape shape(List<Long> dimensions) {
			return Shape.of(dimensions.stream().mapToLong(Long::longValue).toArray());
		}

	}

	/**
	 * A tensor that is sent to the model.
	 */
	record SentTensor(TensorSpec spec, Tensor tensor) {

		String inputName() {
			return this.spec.name();
		}

		String outputName() {
			return "out-" + this.spec.name();
		}

		byte[] bytes() {
			byte[] bytes = new byte[this.tensor.contents().remaining()];
			this.tensor.contents().get(bytes);
			return bytes;
		}

		ObjectNode inputJson() {
			ObjectNode input = Tensors.JSON.createObjectNode();
			input.put("name", inputName()).put("datatype", this.spec.dataType().name());
			ArrayNode shape = input.putArray("shape");
			for (long dimension : this.tensor.shape().dimensions()) {
				shape.add(dimension);
			}
			return input;
		}

		void assertReturned(Tensor returned) {
			assertThat(returned).hasToString(this.tensor.toString());
			assertThat(returned.contents()).isEqualTo(this.tensor.contents());
		}

		void assertReturned(JsonNode output, @Nullable ByteBuffer tail) {
			JsonNode described = Tensors.JSON.readTree(inputJson().put("name", outputName()).toString());
			described.propertyNames().forEach((name) -> assertThat(output.get(name)).isEqualTo(described.get(name)));
			if (tail == null) {
				assertReturned(Tensors.read(this.spec.dataType(), this.tensor.shape(), output.get("data")));
			}
			else {
				byte[] bytes = new byte[output.get("parameters").get("binary_data_size").asInt()];
				tail.get(bytes);
				assertThat(bytes).isEqualTo(bytes());
			}
		}

	}

}
