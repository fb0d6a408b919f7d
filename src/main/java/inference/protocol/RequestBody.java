package inference.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;

import jakarta.servlet.http.HttpServletRequest;

/**
 * Reads a request's body, up to a limit.
 */
final class RequestBody {

	// What is allocated before a byte has come, whatever length the client claims.
	private static final int FIRST = 8 * 1024;

	private final long limit;

	RequestBody(long limit) {
		this.limit = limit;
	}

	static boolean isPresent(HttpServletRequest request) {
		return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
	}

	/**
	 * Reads the whole body.
	 * @param request with or without a length
	 * @return the bytes
	 * @throws RequestException if the body is larger than the limit; what is left of it
	 * is not read
	 */
	byte[] read(HttpServletRequest request) throws IOException {
		long length = request.getContentLengthLong();
		requireWithin(length);
		InputStream stream = request.getInputStream();
		byte[] body = new byte[Math.clamp(length, 0, FIRST)];
		int size = 0;
		while (true) {
			if (size == body.length) {
				int next = stream.read();
				if (next < 0) {
					return body;
				}
				body = Arrays.copyOf(body, grown(size, length));
				body[size++] = (byte) next;
			}
			int count = stream.read(body, size, body.length - size);
			if (count < 0) {
				return Arrays.copyOf(body, size);
			}
			size += count;
			requireWithin(size);
		}
	}

	private int grown(int size, long length) {
		long twice = Math.max(FIRST, 2L * size);
		long most = (length >= 0) ? length : this.limit + 1;
		return (int) Math.min(twice, Math.max(most, size + 1));
	}

	private void requireWithin(long size) {
		if (size > this.limit) {
			throw RequestException.tooLarge(
					"The body is larger than %d bytes: send fewer rows per request, or raise ".formatted(this.limit)
							+ "inference.request.max-size.");
		}
	}

}
