package inference.codec;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import inference.model.Shape;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.TensorSpec;
import inference.codec.InferenceRequest.Form;
import inference.codec.InferenceRequest.Output;

/**
 * The parts of a request that have been read so far.
 */
final class Inputs {

	private final Signature signature;

	private final Map<String, Tensor> tensors;

	private final List<Binary> binaries = new ArrayList<>();

	Map<TensorSpec, @Nullable Boolean> outputs = Map.of();

	Map<String, Object> parameters = Map.of();

	@Nullable Form form;

	@Nullable String id;

	boolean binaryByDefault;

	Inputs(Signature signature) {
		this.signature = signature;
		this.tensors = LinkedHashMap.newLinkedHashMap(signature.inputs().size());
	}

	/**
	 * The specification of an input the client named.
	 * @param name of any length
	 * @throws InvalidRequestException if there is no such input
	 */
	TensorSpec spec(String name) {
		TensorSpec spec = this.signature.input(name);
		if (spec == null) {
			throw new InvalidRequestException("There is no input '%s'; the model takes %s."
				.formatted(InvalidRequestException.excerpt(name), this.signature.inputs()));
		}
		return spec;
	}

	void add(TensorSpec spec, Tensor tensor) {
		if (this.tensors.put(spec.name(), tensor) != null || isPromised(spec)) {
			throw twice(spec);
		}
	}

	/** Notes a tensor whose bytes come behind the JSON. */
	void promise(TensorSpec spec, Shape shape, long size) {
		if (this.tensors.containsKey(spec.name()) || isPromised(spec)) {
			throw twice(spec);
		}
		this.binaries.add(new Binary(spec, shape, size));
	}

	/**
	 * The whole request.
	 * @param binary the bytes behind the JSON, or {@code null} if there are none
	 * @throws InvalidRequestException if an input is missing, or is not as long as
	 * promised
	 */
	InferenceRequest end(@Nullable ByteBuffer binary) {
		if (binary != null) {
			readBinaries(binary);
		}
		else if (!this.binaries.isEmpty()) {
			throw new InvalidRequestException("A binary_data_size needs the header Inference-Header-Content-Length.");
		}
		for (TensorSpec spec : this.signature.inputs()) {
			if (!this.tensors.containsKey(spec.name())) {
				throw new InvalidRequestException(
						"Input '%s' is missing; the model takes %s.".formatted(spec.name(), this.signature.inputs()));
			}
		}
		if (this.form == null) {
			throw new IllegalStateException("no form was recognised. This is a bug.");
		}
		return new InferenceRequest(this.form, this.id, this.tensors, wanted(), timeout());
	}

	private void readBinaries(ByteBuffer bytes) {
		long promised = this.binaries.stream().mapToLong(Binary::size).sum();
		if (bytes.remaining() != promised) {
			throw new InvalidRequestException("Behind the JSON come %d bytes, but its binary_data_size make %d."
				.formatted(bytes.remaining(), promised));
		}
		for (Binary binary : this.binaries) {
			int size = (int) binary.size();
			ByteBuffer contents = bytes.slice(bytes.position(), size);
			bytes.position(bytes.position() + size);
			this.tensors.put(binary.spec().name(), Json.tensor(binary.spec(), binary.shape(), contents));
		}
	}

	// Triton's schedule policy states it in microseconds, 0 for none.
	private @Nullable Duration timeout() {
		return (this.parameters.get("timeout") instanceof Long micros && micros > 0)
				? Duration.of(micros, ChronoUnit.MICROS) : null;
	}

	private List<Output> wanted() {
		boolean all = this.binaryByDefault || Boolean.TRUE.equals(this.parameters.get("binary_data_output"));
		if (this.outputs.isEmpty()) {
			List<Output> wanted = new ArrayList<>(this.signature.outputs().size());
			for (TensorSpec spec : this.signature.outputs()) {
				wanted.add(new Output(spec, all));
			}
			return wanted;
		}
		List<Output> wanted = new ArrayList<>(this.outputs.size());
		this.outputs.forEach((spec, binary) -> wanted.add(new Output(spec, (binary != null) ? binary : all)));
		return wanted;
	}

	private boolean isPromised(TensorSpec spec) {
		for (Binary binary : this.binaries) {
			if (binary.spec().equals(spec)) {
				return true;
			}
		}
		return false;
	}

	private static InvalidRequestException twice(TensorSpec spec) {
		return new InvalidRequestException("Input '%s' comes twice.".formatted(spec.name()));
	}

	private record Binary(TensorSpec spec, Shape shape, long size) {
	}

}
