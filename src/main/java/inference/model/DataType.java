package inference.model;

/**
 * The type of a tensor's elements, by its name in the Open Inference Protocol. BF16 is
 * Triton's addition to that protocol.
 */
public enum DataType {

	BOOL(1), UINT8(1), UINT16(2), UINT32(4), UINT64(8), INT8(1), INT16(2), INT32(4), INT64(8), FP16(2), BF16(2),
	FP32(4), FP64(8),

	/** Strings of bytes of any length. Text is encoded in UTF-8. */
	BYTES(0);

	private final int width;

	DataType(int width) {
		this.width = width;
	}

	/** The size of one element in bytes; 0 for {@link #BYTES}. */
	public int width() {
		return this.width;
	}

}
