package inference.web;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import java.util.zip.ZipException;

import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;

import inference.admission.Reservation;
import inference.codec.InvalidRequestException;

/**
 * A request's body, read whole into an array, expanded if it is compressed, and never
 * beyond the limit. Its memory is reserved before it is allocated.
 */
final class RequestBody {

	// What is allocated before a byte has come, whatever length the client states.
	private static final int INITIAL_BYTES = 16 * 1024;

	private static final int GROWTH = 4;

	private final InputStream stream;

	private final long length;

	private final long limit;

	private final Reservation reservation;

	private RequestBody(InputStream stream, long length, long limit, Reservation reservation) {
		this.stream = stream;
		this.length = length;
		this.limit = limit;
		this.reservation = reservation;
	}

	static boolean isPresent(HttpServletRequest request) {
		return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
	}

	/**
	 * Reads the body of a request.
	 * @param limit the largest body in bytes, after expansion
	 * @param reservation gives the memory and the deadline
	 * @param permits are given back while the client sends nothing
	 * @return the body, exactly as long as it is
	 * @throws RequestException if the body is too large or its encoding is unknown
	 */
	static byte[] read(HttpServletRequest request, long limit, Reservation reservation, RequestPermits permits)
			throws IOException {
		InputStream stream = new ClientStream(request.getInputStream(), reservation, permits);
		long length = request.getContentLengthLong();
		if (length > limit) {
			throw tooLarge(limit);
		}
		String encoding = request.getHeader("Content-Encoding");
		return switch ((encoding != null) ? encoding.toLowerCase(Locale.ROOT) : "identity") {
			case "identity" -> new RequestBody(stream, length, limit, reservation).read();
			case "gzip", "x-gzip" -> gunzip(stream, limit, reservation);
			default -> throw new RequestException(415, "Content-Encoding '%s' is not supported: send gzip or none."
				.formatted(InvalidRequestException.excerpt(encoding)));
		};
	}

	private static byte[] gunzip(InputStream stream, long limit, Reservation reservation) throws IOException {
		try {
			return new RequestBody(new GZIPInputStream(stream, INITIAL_BYTES), -1, limit, reservation).read();
		}
		catch (ZipException | EOFException _) {
			throw new InvalidRequestException("The body is not the gzip that its Content-Encoding says.");
		}
	}

	private byte[] read() throws IOException {
		// One byte more than the limit shows that a body without a length is too large.
		long end = (this.length >= 0) ? this.length : this.limit + 1;
		byte[] body = allocate((int) Math.min(INITIAL_BYTES, end));
		int size = 0;
		while (size < end) {
			if (size == body.length) {
				body = resize(body, (int) Math.min((long) GROWTH * size, end));
			}
			int count = this.stream.read(body, size, body.length - size);
			if (count < 0) {
				break;
			}
			size += count;
		}
		if (size > this.limit) {
			throw tooLarge(this.limit);
		}
		return (size == body.length) ? body : resize(body, size);
	}

	private byte[] allocate(int bytes) {
		this.reservation.add(bytes);
		return new byte[bytes];
	}

	private byte[] resize(byte[] body, int bytes) {
		this.reservation.add(bytes);
		byte[] copy = Arrays.copyOf(body, bytes);
		this.reservation.add(-body.length);
		return copy;
	}

	private static RequestException tooLarge(long limit) {
		return new RequestException(413, "The body is larger than %d bytes: send fewer rows per request, or raise %s."
			.formatted(limit, "inference.request.max-size"));
	}

	/**
	 * The stream of what a client sends, which ends at the request's deadline.
	 */
	private static final class ClientStream extends InputStream {

		private final ServletInputStream stream;

		private final Reservation reservation;

		private final RequestPermits permits;

		ClientStream(ServletInputStream stream, Reservation reservation, RequestPermits permits) {
			this.stream = stream;
			this.reservation = reservation;
			this.permits = permits;
		}

		@Override
		public int read() throws IOException {
			byte[] one = new byte[1];
			return (read(one, 0, 1) < 0) ? -1 : Byte.toUnsignedInt(one[0]);
		}

		@Override
		public int read(byte[] target, int offset, int count) throws IOException {
			this.reservation.deadline().requireTime("was read");
			try {
				if (this.stream.available() > 0) {
					return this.stream.read(target, offset, count);
				}
				return this.permits.await(() -> this.stream.read(target, offset, count));
			}
			catch (SocketTimeoutException ex) {
				throw this.reservation.deadline().exceeded("was read");
			}
		}

	}

}
