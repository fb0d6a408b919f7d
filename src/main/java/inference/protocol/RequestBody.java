package inference.protocol;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

import jakarta.servlet.http.HttpServletRequest;

import inference.admission.RequestThreads;

/**
 * A request's body, read once from front to back, expanded if it is compressed, and never
 * beyond a limit. What is left unread at the limit stays unread.
 */
final class RequestBody {

	// What is allocated before a byte has come, whatever length the client claims;
	// afterwards, no more than a few times of what has come.
	private static final int FIRST = 16 * 1024;

	// In bytes: what ONNX Runtime's binding copies anyway need not be in native memory.
	private static final int SMALL = 64 * 1024;

	// A client that has sent this much is believed the rest, so that the bytes of a large
	// tensor are not moved again and again.
	private static final int EARNEST = 256 * 1024;

	private final InputStream stream;

	private final long limit;

	private final long length;

	private final LongConsumer memory;

	private long position;

	private RequestBody(InputStream stream, long length, long limit, LongConsumer memory) {
		this.memory = memory;
		this.stream = stream;
		this.length = length;
		this.limit = limit;
	}

	static boolean isPresent(HttpServletRequest request) {
		return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
	}

	/**
	 * The body of a request, unread.
	 * @param request with or without a length
	 * @param limit the most bytes to read, after expansion
	 * @param memory told of the bytes that are kept, and may refuse them
	 * @param threads told of a thread that waits for the client
	 * @throws RequestException if the length exceeds the limit, or the encoding is
	 * unknown
	 */
	static RequestBody of(HttpServletRequest request, long limit, LongConsumer memory, RequestThreads threads)
			throws IOException {
		RequestBody sent = new RequestBody(new ClientStream(request.getInputStream(), threads),
				request.getContentLengthLong(), limit, memory);
		sent.requireWithinLimit(sent.length);
		String encoding = request.getHeader("Content-Encoding");
		return switch ((encoding != null) ? encoding.toLowerCase(Locale.ROOT) : "identity") {
			case "identity" -> sent;
			case "gzip", "x-gzip" -> new RequestBody(gunzip(sent.stream), -1, limit, memory);
			default -> throw RequestException.unsupported("Content-Encoding '%s' is not supported: send gzip or none."
				.formatted(RequestException.excerpt(encoding)));
		};
	}

	/** A body that is in memory already. */
	static RequestBody of(byte[] bytes) {
		return new RequestBody(new ByteArrayInputStream(bytes), bytes.length, bytes.length, (_) -> {
		});
	}

	/**
	 * How many bytes are left to read.
	 * @return the number, or -1 if the client did not say
	 */
	long remaining() {
		return (this.length >= 0) ? this.length - this.position : -1;
	}

	/** All that is left. */
	byte[] rest() throws IOException {
		return upTo((this.length >= 0) ? remaining() : this.limit - this.position + 1);
	}

	/**
	 * The next bytes.
	 * @param count how many; checked against the limit and the length before any memory
	 * is taken
	 * @return exactly so many
	 * @throws RequestException if the body ends before
	 */
	byte[] next(int count) throws IOException {
		requireRemaining(count);
		long end = this.position + count;
		byte[] bytes = upTo(count);
		if (bytes.length < count) {
			throw tooShort(end);
		}
		return bytes;
	}

	private byte[] upTo(long most) throws IOException {
		byte[] body = new byte[grown(0, most)];
		int size = 0;
		while (size < most) {
			if (size == body.length) {
				body = Arrays.copyOf(body, grown(size, most));
			}
			int count = read(body, size, body.length - size);
			if (count < 0) {
				break;
			}
			requireWithinLimit(count);
			this.memory.accept(count);
			size += count;
			this.position += count;
		}
		return (size == body.length) ? body : Arrays.copyOf(body, size);
	}

	/**
	 * The bytes of the next tensor: if they are many, in memory that a native model can
	 * use as it is.
	 * @param count how many; checked against the limit and the length before any memory
	 * is taken
	 * @return a buffer of exactly so many
	 * @throws RequestException if the body ends before
	 */
	ByteBuffer tensor(long count) throws IOException {
		if (count <= SMALL) {
			return ByteBuffer.wrap(next((int) count));
		}
		requireRemaining(count);
		ByteBuffer buffer = direct(grown(0, count), 0);
		while (buffer.position() < count) {
			if (!buffer.hasRemaining()) {
				int before = buffer.capacity();
				int after = (before < EARNEST) ? grown(before, count) : (int) count;
				buffer = direct(after, before).put(buffer.flip());
			}
			if (read(buffer) < 0) {
				throw tooShort(this.position + count);
			}
		}
		this.position += count;
		return buffer.flip();
	}

	private ByteBuffer direct(int capacity, int before) {
		this.memory.accept(capacity - before);
		return ByteBuffer.allocateDirect(capacity);
	}

	void requireEnd() throws IOException {
		if (remaining() != 0 && read(new byte[1], 0, 1) >= 0) {
			throw RequestException
				.bad("The body is longer than its JSON and binary_data_size say: %d bytes were expected."
					.formatted(this.position));
		}
	}

	private int read(ByteBuffer buffer) throws IOException {
		if (this.stream instanceof ClientStream client) {
			return client.read(buffer);
		}
		byte[] chunk = new byte[Math.min(buffer.remaining(), FIRST)];
		int count = read(chunk, 0, chunk.length);
		buffer.put(chunk, 0, Math.max(0, count));
		return count;
	}

	private int read(byte[] target, int offset, int count) throws IOException {
		try {
			return this.stream.read(target, offset, count);
		}
		catch (ZipException | EOFException _) {
			throw notGzip();
		}
	}

	private static int grown(int size, long most) {
		return (int) Math.min(Math.max(FIRST, 4L * size), most);
	}

	private RequestException tooShort(long end) {
		return RequestException
			.bad("The body ends before the %d bytes that its headers and binary_data_size promise.".formatted(end));
	}

	private static InputStream gunzip(InputStream stream) throws IOException {
		try {
			return new GZIPInputStream(stream, FIRST);
		}
		catch (ZipException | EOFException _) {
			throw notGzip();
		}
	}

	private static RequestException notGzip() {
		return RequestException.bad("The body is not the gzip that its Content-Encoding says.");
	}

	private void requireRemaining(long count) {
		requireWithinLimit(count);
		if (this.length >= 0 && count > remaining()) {
			throw tooShort(this.position + count);
		}
	}

	private void requireWithinLimit(long count) {
		if (count > this.limit - this.position) {
			throw RequestException
				.tooLarge("The body is larger than %d bytes: send fewer rows per request, or raise %s."
					.formatted(this.limit, "inference.request.max-size"));
		}
	}

}
