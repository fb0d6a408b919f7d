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
 * A tensor of any type and shape that goes through a model that changes nothing comes
 * back as it was, in every form.
 */
class RoundTripTests {

	private static final String SEED = "20260101";

	@Property(tries = 1000, seed = SEED)
	void rowsComeBack(@ForAll("plans") List<Plan> plans, @ForAll long rows, @ForAll Random random) {
		List<Sent> sent = sent(plans, Math.floorMod(rows, 4), true, true, random);
		ArrayNode instances = Tensors.JSON.createArrayNode();
		for (int row = 0; row < sent.getFirst().tensor().shape().dimension(0); row++) {
			ObjectNode named = Tensors.JSON.createObjectNode();
			for (Sent one : sent) {
				named.set(one.in(), Tensors.nested(one.tensor()).get(row));
			}
			boolean bare = sent.size() == 1 && random.nextBoolean();
			instances.add(bare ? named.get(sent.getFirst().in()) : named);
		}
		JsonNode answer = ask(sent, Tensors.JSON.createObjectNode().set("instances", instances), random);
		for (Sent one : sent) {
			ArrayNode column = Tensors.JSON.createArrayNode();
			answer.get("predictions").forEach((row) -> column.add((sent.size() == 1) ? row : row.get(one.out())));
			assertThat(column.size()).isEqualTo(instances.size());
			one.assertReturned(Tensors.read(one.spec().dataType(), one.tensor().shape(), column));
		}
	}

	@Property(tries = 1000, seed = SEED)
	void columnsComeBack(@ForAll("plans") List<Plan> plans, @ForAll Random random) {
		List<Sent> sent = sent(plans, -1, true, true, random);
		ObjectNode columns = Tensors.JSON.createObjectNode();
		sent.forEach((one) -> columns.set(one.in(), Tensors.nested(one.tensor())));
		boolean bare = sent.size() == 1 && random.nextBoolean();
		JsonNode answer = ask(sent,
				Tensors.JSON.createObjectNode().set("inputs", bare ? columns.get(sent.getFirst().in()) : columns),
				random);
		for (Sent one : sent) {
			JsonNode column = (sent.size() == 1) ? answer.get("outputs") : answer.get("outputs").get(one.out());
			assertThat(column.size()).isEqualTo(Tensors.nested(one.tensor()).size());
			one.assertReturned(Tensors.read(one.spec().dataType(), one.tensor().shape(), column));
		}
	}

	@Property(tries = 1000, seed = SEED)
	void theOpenInferenceProtocolsJsonComesBack(@ForAll("plans") List<Plan> plans, @ForAll Random random) {
		List<Sent> sent = sent(plans, -1, true, false, random);
		ArrayNode inputs = Tensors.JSON.createArrayNode();
		for (Sent one : sent) {
			boolean flat = one.tensor().shape().rank() == 0 || random.nextBoolean();
			JsonNode data = flat ? Tensors.flat(one.tensor()) : Tensors.nested(one.tensor());
			ObjectNode input = Tensors.JSON.createObjectNode();
			if (random.nextBoolean()) {
				input.set("data", data);
			}
			input.setAll(one.describe());
			input.set("data", data);
			inputs.insert(random.nextInt(inputs.size() + 1), input);
		}
		JsonNode answer = ask(sent, Tensors.JSON.createObjectNode().set("inputs", inputs), random);
		for (int i = 0; i < sent.size(); i++) {
			sent.get(i).assertReturned(answer.get("outputs").get(i), null);
		}
	}

	@Property(tries = 1000, seed = SEED)
	void theOpenInferenceProtocolsBytesComeBack(@ForAll("plans") List<Plan> plans, @ForAll Random random) {
		List<Sent> sent = sent(plans, -1, false, false, random);
		ArrayNode inputs = Tensors.JSON.createArrayNode();
		ByteArrayOutputStream tail = new ByteArrayOutputStream();
		for (Sent one : sent) {
			ObjectNode input = one.describe();
			input.putObject("parameters").put("binary_data_size", one.bytes().length);
			inputs.add(input);
			tail.writeBytes(one.bytes());
		}
		ObjectNode json = Tensors.JSON.createObjectNode().set("inputs", inputs);
		json.putObject("parameters").put("binary_data_output", true);
		byte[] text = Tensors.JSON.writeValueAsBytes(json);
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		body.writeBytes(text);
		body.writeBytes(tail.toByteArray());
		Wire.Response response = exchange(sent, body.toByteArray(), Integer.toString(text.length));
		JsonNode answer = Tensors.JSON.readTree(response.json());
		ByteBuffer rest = ByteBuffer.wrap(response.tail());
		for (int i = 0; i < sent.size(); i++) {
			sent.get(i).assertReturned(answer.get("outputs").get(i), rest);
		}
		assertThat(rest.hasRemaining()).isFalse();
	}

	@Provide
	Arbitrary<List<Plan>> plans() {
		Arbitrary<List<Long>> dimensions = Arbitraries.longs().between(0, 4).list().ofMaxSize(4);
		return Combinators.combine(Arbitraries.of(DataType.class), dimensions, Arbitraries.integers().between(0, 15))
			.as(Plan::new)
			.list()
			.ofMinSize(1)
			.ofMaxSize(3);
	}

	private static List<Sent> sent(List<Plan> plans, int rows, boolean asJson, boolean base64, Random random) {
		List<Sent> sent = new ArrayList<>();
		for (Plan plan : plans) {
			sent.add(plan.send("in-" + sent.size(), rows, asJson, base64, random));
		}
		return sent;
	}

	private static JsonNode ask(List<Sent> sent, JsonNode json, Random random) {
		byte[] text = Tensors.JSON.writeValueAsBytes(json);
		String length = (random.nextInt(3) == 0) ? Integer.toString(text.length) : null;
		Wire.Response response = exchange(sent, text, length);
		assertThat(response.tail()).isEmpty();
		return Tensors.JSON.readTree(response.json());
	}

	private static Wire.Response exchange(List<Sent> sent, byte[] body, @Nullable String jsonLength) {
		Signature signature = new Signature(sent.stream().map(Sent::spec).toList(),
				sent.stream()
					.map((one) -> new TensorSpec(one.out(), one.spec().dataType(), one.spec().shape()))
					.toList());
		return Wire.exchange(signature, body, jsonLength);
	}

	/**
	 * A tensor to be made.
	 *
	 * @param variable a bit for each dimension that the signature leaves open
	 */
	record Plan(DataType dataType, List<Long> dimensions, int variable) {

		Sent send(String name, int rows, boolean asJson, boolean base64, Random random) {
			List<Long> shape = new ArrayList<>(this.dimensions);
			if (rows >= 0) {
				shape.addFirst((long) rows);
			}
			List<Long> declared = new ArrayList<>(shape);
			boolean seen = true;
			for (int i = 0; i < shape.size(); i++) {
				if ((this.variable >> i & 1) != 0) {
					declared.set(i, Shape.VARIABLE);
					// Nested JSON ends at a dimension of 0 and shows none inside it.
					shape.set(i, seen ? shape.get(i) : 0L);
				}
				seen &= shape.get(i) != 0;
			}
			return new Sent(new TensorSpec(name, this.dataType, shape(declared)),
					Tensors.random(this.dataType, shape(shape), asJson, base64, random));
		}

		private static Shape shape(List<Long> dimensions) {
			return Shape.of(dimensions.stream().mapToLong(Long::longValue).toArray());
		}

	}

	/**
	 * A tensor on its way.
	 */
	record Sent(TensorSpec spec, Tensor tensor) {

		String in() {
			return this.spec.name();
		}

		String out() {
			return "out-" + this.spec.name();
		}

		byte[] bytes() {
			byte[] bytes = new byte[this.tensor.contents().remaining()];
			this.tensor.contents().get(bytes);
			return bytes;
		}

		ObjectNode describe() {
			ObjectNode input = Tensors.JSON.createObjectNode();
			input.put("name", in()).put("datatype", this.spec.dataType().name());
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
			JsonNode described = Tensors.JSON.readTree(describe().put("name", out()).toString());
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
