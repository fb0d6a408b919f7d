package inference.protocol;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * JSON in the pieces in which it was written. A large body is not copied again and again
 * to a place twice as large, which would make more garbage than the body is long.
 */
final class JsonBody extends OutputStream {

	private final List<byte[]> pieces = new ArrayList<>(1);

	private int size;

	/**
	 * Takes a piece as it is.
	 * @param piece not to be changed any more
	 * @throws ArithmeticException if the body becomes longer than 2 GB
	 */
	void add(byte[] piece) {
		this.size = Math.addExact(this.size, piece.length);
		this.pieces.add(piece);
	}

	@Override
	public void write(int one) {
		add(new byte[] { (byte) one });
	}

	@Override
	public void write(byte[] source, int offset, int count) {
		add(Arrays.copyOfRange(source, offset, offset + count));
	}

	/** In bytes. */
	int size() {
		return this.size;
	}

	void writeTo(OutputStream target) throws IOException {
		for (byte[] piece : this.pieces) {
			target.write(piece);
		}
	}

	byte[] toByteArray() {
		ByteBuffer whole = ByteBuffer.allocate(this.size);
		this.pieces.forEach(whole::put);
		return whole.array();
	}

}
