package inference.codec;

import java.util.Arrays;
import java.util.function.LongConsumer;

import org.jspecify.annotations.Nullable;
import tools.jackson.core.JsonParser;
import tools.jackson.core.JsonToken;

import inference.model.Shape;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * Reads one tensor out of JSON arrays. The shape is what the nesting says, or what the
 * request states beside data that may be flat. Reading stops at the first array that is
 * longer than its neighbours or than the shape allows, so that no more is kept than a
 * good request would have needed.
 */
final class TensorReader {

	private static final int UNKNOWN = -1;

	private final TensorSpec spec;

	private final @Nullable Shape stated;

	private final long[] dimensions;

	private int rank = UNKNOWN;

	private final ElementReader elements;

	/**
	 * A reader for one tensor.
	 * @param spec what the model takes
	 * @param stated the shape the request states, known to fit the specification;
	 * {@code null} if it states none
	 * @param memory is told how many bytes are about to be allocated or have been freed
	 */
	TensorReader(TensorSpec spec, @Nullable Shape stated, LongConsumer memory) {
		this.spec = spec;
		this.stated = stated;
		this.elements = new ElementReader(spec, stated == null, (stated != null) ? stated.elements() : least(spec),
				memory);
		// Even a scalar may come as a flat array of one.
		this.dimensions = new long[Math.max((stated != null) ? 1 : 0, spec.shape().rank())];
		Arrays.fill(this.dimensions, UNKNOWN);
	}

	/**
	 * Reads the parser's current value, and all in it.
	 * @param parser at the first token of the value
	 * @param depth how many arrays the value is in, as dimensions of this tensor
	 */
	void read(JsonParser parser, int depth) {
		if (parser.currentToken() == JsonToken.START_ARRAY) {
			parser.nextToken();
			readRest(parser, depth);
			return;
		}
		if (this.rank == UNKNOWN) {
			this.rank = depth;
		}
		// An array that is its neighbour may have been empty, and told no rank.
		if (depth != this.rank || (depth < this.dimensions.length && this.dimensions[depth] != UNKNOWN)) {
			throw misshapen("values at different depths");
		}
		this.elements.read(parser);
	}

	/**
	 * Reads an array whose start has been read already.
	 * @param parser at the first element, or at the array's end
	 * @param depth how many arrays the array is in, as dimensions of this tensor
	 */
	void readRest(JsonParser parser, int depth) {
		if (depth == this.dimensions.length || depth == this.rank) {
			throw misshapen("an array where a value should be");
		}
		long most = most(depth);
		long count = 0;
		while (parser.currentToken() != JsonToken.END_ARRAY) {
			if (count == most) {
				throw misshapen("more than %d values in one array".formatted(most));
			}
			read(parser, depth + 1);
			count++;
			parser.nextToken();
		}
		close(depth, count);
	}

	/**
	 * Notes the length of a dimension.
	 * @param depth the dimension
	 * @param count how many values it has here; the same wherever it occurs
	 */
	void close(int depth, long count) {
		if (this.dimensions[depth] != UNKNOWN && this.dimensions[depth] != count) {
			throw misshapen("rows of %d and of %d values".formatted(this.dimensions[depth], count));
		}
		this.dimensions[depth] = count;
	}

	Tensor toTensor() {
		return Tensor.of(this.spec.dataType(), (this.stated != null) ? agreed(this.stated) : found(),
				this.elements.contents());
	}

	private Shape found() {
		long[] shape = this.dimensions.clone();
		boolean empty = Arrays.stream(shape).anyMatch((dimension) -> dimension == 0);
		for (int i = 0; i < shape.length; i++) {
			if (shape[i] == UNKNOWN && empty) {
				// The arrays end above this dimension: nothing contradicts the signature.
				shape[i] = Math.max(0, this.spec.shape().dimension(i));
			}
		}
		Shape found = known(shape);
		if (!this.spec.shape().accepts(found)) {
			throw new InvalidRequestException(
					"Input '%s' must have shape %s, not %s.".formatted(this.spec.name(), this.spec.shape(), found));
		}
		return found;
	}

	private Shape agreed(Shape stated) {
		Shape found = known(this.dimensions);
		boolean flat = found.rank() == 1 && found.dimension(0) == stated.elements();
		boolean nothing = stated.elements() == 0 && this.rank == UNKNOWN;
		if (!flat && !nothing && !found.equals(stated)) {
			throw new InvalidRequestException(
					"Input '%s' states shape %s, which is %d elements, but its data has shape %s."
						.formatted(this.spec.name(), stated, stated.elements(), found));
		}
		return stated;
	}

	// One row's, where nothing else is open
	private static long least(TensorSpec spec) {
		long elements = 1;
		for (int i = 0; i < spec.shape().rank(); i++) {
			elements *= Math.abs(spec.shape().dimension(i));
		}
		return elements;
	}

	private static Shape known(long[] dimensions) {
		int rank = 0;
		while (rank < dimensions.length && dimensions[rank] != UNKNOWN) {
			rank++;
		}
		return Shape.of(Arrays.copyOf(dimensions, rank));
	}

	private long most(int depth) {
		if (this.stated != null && depth == 0) {
			return Math.max(this.stated.elements(), (this.stated.rank() > 0) ? this.stated.dimension(0) : 1);
		}
		if (this.dimensions[depth] != UNKNOWN) {
			return this.dimensions[depth];
		}
		long allowed = this.spec.shape().dimension(depth);
		return (allowed != Shape.VARIABLE) ? allowed : Long.MAX_VALUE;
	}

	private InvalidRequestException misshapen(String found) {
		return new InvalidRequestException("Input '%s' must have shape %s, but the data has %s."
			.formatted(this.spec.name(), this.spec.shape(), found));
	}

}
