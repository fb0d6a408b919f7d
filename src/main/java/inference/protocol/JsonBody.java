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
	 * @throws RequestException if the body becomes longer than 2 GB, the most that its
	 * length can be stated for
	 */
	void add(byte[] piece) {
		if (piece.length > Integer.MAX_VALUE - this.size) {
			throw RequestException.bad("The answer is longer than 2 GB of JSON: ask for less, or for binary data.");
		}
		this.size += piece.length;
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
