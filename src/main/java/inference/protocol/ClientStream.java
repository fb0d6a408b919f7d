package inference.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;

import jakarta.servlet.ServletInputStream;

import inference.admission.Pause;
import inference.admission.RequestThreads;

/**
 * What a client sends. While nothing of it is there, the thread that waits for it is not
 * at work.
 */
final class ClientStream extends InputStream {

	private static final Pause NONE = () -> {
	};

	private final ServletInputStream stream;

	private final RequestThreads threads;

	ClientStream(ServletInputStream stream, RequestThreads threads) {
		this.stream = stream;
		this.threads = threads;
	}

	@Override
	public int read() throws IOException {
		try (Pause _ = awaitClient()) {
			return this.stream.read();
		}
	}

	@Override
	public int read(byte[] target, int offset, int count) throws IOException {
		try (Pause _ = awaitClient()) {
			return this.stream.read(target, offset, count);
		}
	}

	/**
	 * Reads into a buffer, whose position moves by what has been read.
	 * @return how many bytes, or -1 at the end
	 */
	int read(ByteBuffer buffer) throws IOException {
		try (Pause _ = awaitClient()) {
			// The Servlet API leaves the position where it was, and ends the buffer
			// behind what it has read.
			int count = this.stream.read(buffer.slice());
			buffer.position(buffer.position() + Math.max(0, count));
			return count;
		}
	}

	private Pause awaitClient() throws IOException {
		return (this.stream.available() > 0) ? NONE : this.threads.pause();
	}

}
