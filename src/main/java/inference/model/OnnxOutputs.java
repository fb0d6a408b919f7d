package inference.model;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import org.jspecify.annotations.Nullable;

/**
 * The outputs whose shapes follow from the inputs', because the model names their
 * dimensions alike. ONNX Runtime writes these into memory that is sent as it is, where it
 * would take memory of its own, to be copied from.
 */
final class OnnxOutputs {

	// In bytes: more than this is not copied out of its call's memory
	private static final int LARGE = 64 * 1024;

	private final OrtEnvironment environment;

	private final List<Known> known;

	private final Set<String> others;

	private OnnxOutputs(OrtEnvironment environment, List<Known> known, Set<String> others) {
		this.environment = environment;
		this.known = known;
		this.others = others;
	}

	static OnnxOutputs of(OrtEnvironment environment, OrtSession session) throws OrtException {
		Map<String, Source> sources = new LinkedHashMap<>();
		for (NodeInfo input : session.getInputInfo().values()) {
			String[] names = ((TensorInfo) input.getInfo()).getDimensionNames();
			for (int i = 0; i < names.length; i++) {
				sources.putIfAbsent(names[i], new Source(input.getName(), i));
			}
		}
		List<Known> known = new ArrayList<>();
		Set<String> others = new LinkedHashSet<>();
		for (NodeInfo output : session.getOutputInfo().values()) {
			Known shape = Known.of(OnnxTensors.output(output), (TensorInfo) output.getInfo(), sources);
			if (shape != null) {
				known.add(shape);
			}
			else {
				others.add(output.getName());
			}
		}
		return new OnnxOutputs(environment, known, others);
	}

	/** The same model with every output in memory of ONNX Runtime's. */
	OnnxOutputs withoutMemory() {
		Set<String> all = new LinkedHashSet<>(this.others);
		this.known.forEach((output) -> all.add(output.spec().name()));
		return new OnnxOutputs(this.environment, List.of(), all);
	}

	boolean haveMemory() {
		return !this.known.isEmpty();
	}

	/**
	 * Memory for one call.
	 * @param call where it comes from, unless it is so much that copying it costs more
	 * than the garbage collector's work with it
	 */
	Memory allocate(Map<String, Tensor> inputs, Arena call) throws OrtException {
		Memory memory = new Memory(this.others, call);
		try {
			for (Known output : this.known) {
				memory.add(this.environment, output.spec(), output.shape(inputs));
			}
			return memory;
		}
		catch (OrtException | RuntimeException | Error ex) {
			memory.close();
			throw ex;
		}
	}

	/**
	 * Where a dimension's size comes from.
	 */
	private record Source(String input, int dimension) {
	}

	/**
	 * An output of known shape: for each dimension its size, or the input that has it.
	 */
	private record Known(TensorSpec spec, List<@Nullable Source> dimensions) {

		static @Nullable Known of(TensorSpec spec, TensorInfo info, Map<String, Source> sources) {
			List<@Nullable Source> dimensions = new ArrayList<>();
			for (int i = 0; i < spec.shape().rank(); i++) {
				Source source = sources.get(info.getDimensionNames()[i]);
				if (spec.shape().dimension(i) == Shape.VARIABLE
						&& (source == null || info.getDimensionNames()[i].isEmpty())) {
					return null;
				}
				dimensions.add((spec.shape().dimension(i) == Shape.VARIABLE) ? source : null);
			}
			return OnnxTensors.takesMemory(spec.dataType()) ? new Known(spec, dimensions) : null;
		}

		Shape shape(Map<String, Tensor> inputs) {
			long[] shape = this.spec.shape().dimensions();
			for (int i = 0; i < shape.length; i++) {
				Source source = this.dimensions.get(i);
				Tensor input = (source != null) ? inputs.get(source.input()) : null;
				if (source != null && input != null) {
					shape[i] = input.shape().dimension(source.dimension());
				}
			}
			return Shape.of(shape);
		}

	}

	/**
	 * The outputs of one call.
	 */
	static final class Memory implements AutoCloseable {

		private final Map<String, OnnxTensor> pinned = new LinkedHashMap<>();

		private final Map<String, Tensor> tensors = new LinkedHashMap<>();

		private final Arena call;

		private Set<String> others;

		private Memory(Set<String> others, Arena call) {
			this.others = others;
			this.call = call;
		}

		private void add(OrtEnvironment environment, TensorSpec spec, Shape shape) throws OrtException {
			if (shape.elements() == 0) {
				// No memory, no address to write to
				this.others = new LinkedHashSet<>(this.others);
				this.others.add(spec.name());
				return;
			}
			int size = Math.toIntExact(Math.multiplyExact(shape.elements(), spec.dataType().width()));
			ByteBuffer contents = (size > LARGE) ? ByteBuffer.allocateDirect(size)
					: this.call.allocate(size, OnnxTensors.ALIGNMENT).asByteBuffer();
			this.pinned.put(spec.name(),
					OnnxTensors.over(environment, contents.order(ByteOrder.nativeOrder()), spec.dataType(), shape));
			this.tensors.put(spec.name(), Tensor.of(spec.dataType(), shape, contents));
		}

		/** What ONNX Runtime writes to. */
		Map<String, OnnxTensor> pinned() {
			return this.pinned;
		}

		/** The names of those for which it takes memory of its own. */
		Set<String> others() {
			return this.others;
		}

		/** All outputs, once the call has returned. */
		Map<String, Tensor> tensors(OrtSession.Result result) throws OrtException {
			this.tensors.replaceAll((_, tensor) -> kept(tensor));
			for (String name : this.others) {
				this.tensors.put(name, OnnxTensors.fromOnnx(result.get(name).orElseThrow()));
			}
			return this.tensors;
		}

		private static Tensor kept(Tensor tensor) {
			ByteBuffer contents = tensor.contents();
			if (contents.remaining() > LARGE) {
				return tensor;
			}
			ByteBuffer copy = ByteBuffer.allocate(contents.remaining()).put(contents).flip();
			return Tensor.of(tensor.dataType(), tensor.shape(), copy);
		}

		@Override
		public void close() {
			this.pinned.values().forEach(OnnxTensor::close);
		}

	}

}
