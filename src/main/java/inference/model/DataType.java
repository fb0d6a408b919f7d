package inference.model;

/**
 * The type of a tensor's elements, by its name in the Open Inference Protocol; BF16 is
 * the one addition, as Triton has it.
 */
public enum DataType {

	BOOL(1), UINT8(1), UINT16(2), UINT32(4), UINT64(8), INT8(1), INT16(2), INT32(4), INT64(8), FP16(2), BF16(2),
	FP32(4), FP64(8),

	/**
	 * Strings of bytes, each of its own length; text is UTF-8.
	 */
	BYTES(0);

	private final int width;

	DataType(int width) {
		this.width = width;
	}

	/**
	 * The size of one element.
	 * @return bytes, or 0 for {@link #BYTES}, whose elements differ
	 */
	public int width() {
		return this.width;
	}

}
