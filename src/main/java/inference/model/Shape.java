package inference.model;

import java.util.Arrays;

/**
 * The dimensions of a tensor, the outermost dimension first. A dimension may be
 * {@link #VARIABLE} in a signature, but not in a tensor. A scalar has no dimensions.
 */
public final class Shape {

	/** A dimension whose size may differ between requests. The protocols write -1. */
	public static final long VARIABLE = -1;

	/**
	 * The shape of a tensor of unknown rank in a signature. It accepts every shape. Its
	 * first dimension is treated as the batch. The protocols write {@code [-1]}.
	 */
	public static final Shape UNKNOWN_RANK = new Shape(new long[] { VARIABLE });

	private final long[] dimensions;

	private final boolean hasBatch;

	private Shape(long[] dimensions) {
		this(dimensions, dimensions.length > 0 && dimensions[0] == VARIABLE);
	}

	private Shape(long[] dimensions, boolean hasBatch) {
		this.dimensions = dimensions;
		this.hasBatch = hasBatch;
	}

	/**
	 * A shape of the given dimensions.
	 * @param dimensions each at least 0, or {@link #VARIABLE}
	 * @throws IllegalArgumentException if a dimension is below -1
	 */
	public static Shape of(long... dimensions) {
		Shape shape = new Shape(dimensions.clone());
		for (long dimension : shape.dimensions) {
			if (dimension < VARIABLE) {
				throw new IllegalArgumentException("a dimension of shape %s is below -1".formatted(shape));
			}
		}
		return shape;
	}

	public int rank() {
		return this.dimensions.length;
	}

	public long dimension(int index) {
		return this.dimensions[index];
	}

	public long[] dimensions() {
		return this.dimensions.clone();
	}

	/**
	 * Whether this is {@link #UNKNOWN_RANK}, and not the shape of a vector of variable
	 * length.
	 */
	@SuppressWarnings("ReferenceEquality")
	public boolean hasUnknownRank() {
		return this == UNKNOWN_RANK;
	}

	/** Whether the first dimension is the batch. It is {@link #VARIABLE} then. */
	public boolean isBatched() {
		return this.hasBatch;
	}

	/**
	 * This shape, but its first dimension is not the batch. It is for an output whose
	 * number of rows is not that of the inputs. If the first dimension is variable, the
	 * result accepts every shape, because the rank may depend on the number of rows.
	 */
	public Shape withoutBatch() {
		return hasUnknownRank() ? this : new Shape(this.dimensions, false);
	}

	/** Whether the first dimension is the batch and the rank is known. */
	public boolean isBatchOfKnownRank() {
		return isBatched() && !hasUnknownRank();
	}

	/**
	 * The number of elements of a tensor of this shape.
	 * @return the product of the dimensions; 1 for a scalar
	 * @throws IllegalArgumentException if a dimension is variable or the product exceeds
	 * a {@code long}
	 */
	public long elementCount() {
		long elementCount = 1;
		for (long dimension : this.dimensions) {
			if (dimension == VARIABLE) {
				throw new IllegalArgumentException("shape %s has a variable dimension".formatted(this));
			}
			if (dimension != 0 && elementCount > Long.MAX_VALUE / dimension) {
				throw new IllegalArgumentException("shape %s has too many elements".formatted(this));
			}
			elementCount *= dimension;
		}
		return elementCount;
	}

	/**
	 * Whether this shape of a signature accepts a tensor's shape.
	 * @param tensorShape the shape of a tensor
	 * @return {@code true} if this shape is {@link #UNKNOWN_RANK}, if its first dimension
	 * is variable but not the batch, or if both shapes have the same rank and each
	 * dimension of this shape is variable or equals that of the tensor
	 */
	public boolean accepts(Shape tensorShape) {
		boolean acceptsAnyRows = rank() > 0 && this.dimensions[0] == VARIABLE && !this.hasBatch;
		if (hasUnknownRank() || acceptsAnyRows) {
			return true;
		}
		if (tensorShape.rank() != rank()) {
			return false;
		}
		for (int i = 0; i < rank(); i++) {
			if (this.dimensions[i] != VARIABLE && this.dimensions[i] != tensorShape.dimensions[i]) {
				return false;
			}
		}
		return true;
	}

	/**
	 * This shape with a size in place of each variable dimension.
	 * @param batchSize the size of the first dimension, if it is variable
	 * @param innerSize the size of every other variable dimension
	 */
	public Shape withSizes(long batchSize, long innerSize) {
		long[] sizes = dimensions();
		for (int i = 0; i < sizes.length; i++) {
			if (sizes[i] == VARIABLE) {
				sizes[i] = (i == 0) ? batchSize : innerSize;
			}
		}
		return new Shape(sizes);
	}

	/**
	 * The shape of one row, which is this shape without its first dimension.
	 * @throws IllegalArgumentException if this is the shape of a scalar
	 */
	public Shape rowShape() {
		return new Shape(Arrays.copyOfRange(this.dimensions, 1, rank()));
	}

	@Override
	public boolean equals(Object other) {
		return other instanceof Shape shape && hasUnknownRank() == shape.hasUnknownRank()
				&& this.hasBatch == shape.hasBatch && Arrays.equals(this.dimensions, shape.dimensions);
	}

	@Override
	public int hashCode() {
		return Arrays.hashCode(this.dimensions);
	}

	@Override
	public String toString() {
		return Arrays.toString(this.dimensions).replace(" ", "");
	}

}
