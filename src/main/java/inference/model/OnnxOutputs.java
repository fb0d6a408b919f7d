package inference.model;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import org.jspecify.annotations.Nullable;

/**
 * The outputs whose shapes follow from the inputs', because the model names their
 * dimensions alike. ONNX Runtime is told where to write these, where it would take memory
 * of its own, to be copied from.
 */
final class OnnxOutputs {

	private final List<Known> known;

	private final Set<String> others;

	private OnnxOutputs(List<Known> known, Set<String> others) {
		this.known = known;
		this.others = others;
	}

	static OnnxOutputs of(OrtSession session) throws OrtException {
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
			// An input that is an output, too, is handed through, not written
			if (shape != null && !session.getInputNames().contains(output.getName())) {
				known.add(shape);
			}
			else {
				others.add(output.getName());
			}
		}
		return new OnnxOutputs(known, others);
	}

	/** The same model with every output in memory of ONNX Runtime's. */
	OnnxOutputs withoutMemory() {
		Set<String> all = new LinkedHashSet<>(this.others);
		this.known.forEach((output) -> all.add(output.spec().name()));
		return new OnnxOutputs(List.of(), all);
	}

	boolean haveMemory() {
		return !this.known.isEmpty();
	}

	List<Known> known() {
		return this.known;
	}

	/** The names of those whose shapes are known when they are there. */
	Set<String> others() {
		return this.others;
	}

	/**
	 * Where a dimension's size comes from.
	 */
	private record Source(String input, int dimension) {
	}

	/**
	 * An output of known shape: for each dimension its size, or the input that has it.
	 */
	record Known(TensorSpec spec, List<@Nullable Source> dimensions) {

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
			return OnnxTensors.canBeMade(spec.dataType()) ? new Known(spec, dimensions) : null;
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

}
