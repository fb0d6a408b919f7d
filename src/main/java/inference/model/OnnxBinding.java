package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import org.jspecify.annotations.Nullable;

/**
 * ONNX Runtime's tensors for the inputs and outputs of certain shapes. Small ones are
 * copied into and out of memory that stays bound from call to call; a large one is used
 * where it is, which makes the binding good for one call only.
 */
final class OnnxBinding implements AutoCloseable {

	/**
	 * In bytes: to copy more than this costs more than memory of its own, with the
	 * garbage collector's work for it.
	 */
	static final int LARGE = 64 * 1024;

	// Texts, which are made one by one: for more, ONNX Runtime's own tensor takes less
	private static final int FEW = 32;

	private final OrtEnvironment environment;

	private final OnnxOutputs outputs;

	private final ByteBuffer memory;

	private final List<Bound> small = new ArrayList<>();

	private final List<Bound> written = new ArrayList<>();

	private final Map<String, Shape> texts = new LinkedHashMap<>();

	private final Map<String, OnnxTensor> inputs = new LinkedHashMap<>();

	private final Map<String, OnnxTensor> pinned = new LinkedHashMap<>();

	private final Set<String> others;

	private @Nullable Arena arena;

	private boolean reusable = true;

	/**
	 * A binding without tensors yet.
	 * @param memory direct, for the small ones
	 */
	OnnxBinding(OrtEnvironment environment, OnnxOutputs outputs, ByteBuffer memory) {
		this.environment = environment;
		this.outputs = outputs;
		this.memory = memory;
		this.others = new LinkedHashSet<>(outputs.others());
	}

	void bind(Map<String, Tensor> tensors) throws OrtException {
		for (Map.Entry<String, Tensor> input : tensors.entrySet()) {
			bindInput(input.getKey(), input.getValue());
		}
		for (OnnxOutputs.Known output : this.outputs.known()) {
			bindOutput(output.spec(), output.shape(tensors));
		}
	}

	/** Whether this is for the same outputs, and for inputs of the same shapes. */
	boolean fits(OnnxOutputs wanted, Map<String, Tensor> tensors) {
		if (this.outputs != wanted || this.inputs.size() != tensors.size()) {
			return false;
		}
		for (Bound input : this.small) {
			Tensor tensor = tensors.get(input.name());
			if (tensor == null || tensor.dataType() != input.dataType() || !tensor.shape().equals(input.shape())) {
				return false;
			}
		}
		return true;
	}

	boolean isReusable() {
		return this.reusable;
	}

	/** Copies in what is not used where it is, and forgets the texts of the last call. */
	void put(Map<String, Tensor> tensors) throws OrtException {
		for (Bound input : this.small) {
			input.contents().clear().put(Objects.requireNonNull(tensors.get(input.name())).contents());
		}
		// Not every operator writes each element: what it leaves out is to be empty.
		for (Map.Entry<String, Shape> text : this.texts.entrySet()) {
			OnnxTensor last = this.pinned.put(text.getKey(), OnnxTensors.texts(this.environment, text.getValue()));
			if (last != null) {
				last.close();
			}
		}
	}

	/** What ONNX Runtime reads. */
	Map<String, OnnxTensor> inputs() {
		return this.inputs;
	}

	/** What it writes to. */
	Map<String, OnnxTensor> pinned() {
		return this.pinned;
	}

	/** The names of the outputs for which it takes memory of its own. */
	Set<String> others() {
		return this.others;
	}

	/** All outputs, once the call has returned. */
	Map<String, Tensor> tensors(OrtSession.Result result) throws OrtException {
		Map<String, Tensor> tensors = LinkedHashMap.newLinkedHashMap(this.pinned.size() + this.others.size());
		for (Bound output : this.written) {
			ByteBuffer contents = output.contents().clear();
			if (contents.capacity() <= LARGE) {
				contents = ByteBuffer.allocate(contents.capacity()).put(contents).flip();
			}
			tensors.put(output.name(), Tensor.of(output.dataType(), output.shape(), contents));
		}
		for (String name : this.texts.keySet()) {
			tensors.put(name, OnnxTensors.fromOnnx(Objects.requireNonNull(this.pinned.get(name))));
		}
		for (String name : this.others) {
			tensors.put(name, OnnxTensors.fromOnnx(result.get(name).orElseThrow()));
		}
		return tensors;
	}

	private void bindInput(String name, Tensor tensor) throws OrtException {
		ByteBuffer kept = OnnxTensors.takesMemory(tensor.dataType()) ? room(tensor.contents().remaining()) : null;
		if (kept != null) {
			this.small.add(new Bound(name, tensor.dataType(), tensor.shape(), kept));
			this.inputs.put(name, OnnxTensors.over(this.environment, kept, tensor.dataType(), tensor.shape()));
			return;
		}
		this.inputs.put(name, OnnxTensors.toOnnx(this.environment, tensor, once()));
	}

	private void bindOutput(TensorSpec spec, Shape shape) throws OrtException {
		long elements = shape.elements();
		// No memory, no address to write to
		if (elements == 0 || (spec.dataType() == DataType.BYTES && elements > FEW)) {
			this.others.add(spec.name());
			return;
		}
		if (spec.dataType() == DataType.BYTES) {
			this.texts.put(spec.name(), shape);
			return;
		}
		int size = Math.toIntExact(Math.multiplyExact(elements, spec.dataType().width()));
		ByteBuffer contents = room(size);
		if (contents == null) {
			Arena once = once();
			contents = (size > LARGE) ? ByteBuffer.allocateDirect(size)
					: once.allocate(size, OnnxTensors.ALIGNMENT).asByteBuffer();
		}
		this.written.add(new Bound(spec.name(), spec.dataType(), shape, contents));
		this.pinned.put(spec.name(), OnnxTensors.over(this.environment, contents, spec.dataType(), shape));
	}

	// Memory for one call, after which this is of no use any more
	private Arena once() {
		this.reusable = false;
		if (this.arena == null) {
			this.arena = Arena.ofConfined();
		}
		return this.arena;
	}

	// Null if there is none left, or if it is better not to copy so much
	private @Nullable ByteBuffer room(int size) {
		int start = OnnxTensors.ALIGNMENT * Math.ceilDiv(this.memory.position(), OnnxTensors.ALIGNMENT);
		if (size == 0 || size > LARGE || size > this.memory.capacity() - start) {
			return null;
		}
		this.memory.position(start + size);
		return this.memory.slice(start, size);
	}

	@Override
	public void close() {
		this.inputs.values().forEach(OnnxTensor::close);
		this.pinned.values().forEach(OnnxTensor::close);
		if (this.arena != null) {
			this.arena.close();
		}
	}

	/**
	 * A tensor over memory of ours.
	 */
	private record Bound(String name, DataType dataType, Shape shape, ByteBuffer contents) {
	}

}
