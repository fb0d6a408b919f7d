package bench;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A prediction's request.
 *
 * @param body JSON, or JSON and the tensors behind it
 * @param jsonLength the length of the JSON if there are tensors behind it, else 0
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record Request(String path, byte[] body, int jsonLength) {

	static Request rows(OnnxFile model, List<Input> inputs) {
		return new Request("/v1/models/%s:predict".formatted(model.title()),
				utf8("{\"instances\":[" + inputs.getFirst().rows("[", "]") + "]}"), 0);
	}

	static Request oip(OnnxFile model, List<Input> inputs) {
		return new Request(oipPath(model), utf8("{" + list(inputs, Input::oip) + "}"), 0);
	}

	/**
	 * A request that comes in bytes and wants the answer in bytes.
	 * @param outputs the only ones wanted, or none to have all
	 */
	static Request oipBinary(OnnxFile model, List<Input> inputs, String... outputs) {
		String wanted = (outputs.length == 0) ? ""
				: "," + List.of(outputs)
					.stream()
					.collect(Collectors.joining("\"},{\"name\":\"", "\"outputs\":[{\"name\":\"", "\"}]"));
		byte[] json = utf8(
				"{\"parameters\":{\"binary_data_output\":true}" + wanted + "," + list(inputs, Input::oipBinary) + "}");
		ByteArrayOutputStream body = new ByteArrayOutputStream();
		body.writeBytes(json);
		for (Input input : inputs) {
			ByteBuffer bytes = input.bytes();
			byte[] contents = new byte[bytes.remaining()];
			bytes.get(contents);
			body.writeBytes(contents);
		}
		return new Request(oipPath(model), body.toByteArray(), json.length);
	}

	Request at(String otherPath) {
		return new Request(otherPath, this.body, this.jsonLength);
	}

	/** What goes over the wire. */
	ByteBuffer http(int port) {
		StringBuilder head = new StringBuilder("POST ").append(this.path).append(" HTTP/1.1\r\n");
		head.append("Host: 127.0.0.1:").append(port).append("\r\n");
		head.append("Content-Type: application/json\r\n");
		if (this.jsonLength > 0) {
			head.append("Inference-Header-Content-Length: ").append(this.jsonLength).append("\r\n");
		}
		head.append("Content-Length: ").append(this.body.length).append("\r\n\r\n");
		byte[] bytes = utf8(head.toString());
		return ByteBuffer.allocateDirect(bytes.length + this.body.length).put(bytes).put(this.body).flip();
	}

	private static String oipPath(OnnxFile model) {
		return "/v2/models/%s/infer".formatted(model.title());
	}

	private static String list(List<Input> inputs, Function<Input, String> form) {
		return inputs.stream().map(form).collect(Collectors.joining(",", "\"inputs\":[", "]"));
	}

	private static byte[] utf8(String text) {
		return text.getBytes(StandardCharsets.UTF_8);
	}

}
