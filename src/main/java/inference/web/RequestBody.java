package inference.web;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.net.SocketTimeoutException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.zip.GZIPInputStream;
import java.util.zip.InflaterInputStream;
import java.util.zip.ZipException;

import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServletRequest;

import org.springframework.core.NestedExceptionUtils;
import org.springframework.http.HttpStatus;
import org.springframework.web.server.ResponseStatusException;

import inference.admission.Deadline;
import inference.admission.Reservation;
import inference.codec.InvalidRequestException;

/**
 * The body of a request as the client sends it. Reading ends at the request's deadline.
 */
final class RequestBody extends InputStream {

	// The largest size of the first array, whatever length the client states.
	private static final int INITIAL_BYTES = 16 * 1024;

	private static final int GROWTH_FACTOR = 4;

	private final HttpServletRequest request;

	private final ServletInputStream stream;

	private final Reservation reservation;

	private final RequestPermits permits;

	private RequestBody(HttpServletRequest request, Reservation reservation, RequestPermits permits)
			throws IOException {
		this.request = request;
		this.stream = request.getInputStream();
		this.reservation = reservation;
		this.permits = permits;
	}

	static boolean isPresent(HttpServletRequest request) {
		return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
	}

	/**
	 * Reads a whole body into an array, and expands it if it is compressed.
	 * @param limit the size of the largest body in bytes, after expansion
	 * @param reservation has the deadline; reserves memory before it is allocated
	 * @param permits are given back while the client sends nothing
	 */
	static byte[] read(HttpServletRequest request, long limit, Reservation reservation, RequestPermits permits)
			throws IOException {
		long length = request.getContentLengthLong();
		if (length > limit) {
			throw tooLarge(limit);
		}
		RequestBody body = new RequestBody(request, reservation, permits);
		String encoding = Objects.requireNonNullElse(request.getHeader("Content-Encoding"), "identity");
		return switch (encoding.toLowerCase(Locale.ROOT)) {
			case "identity" -> readAll(body, (length >= 0) ? length : limit + 1, limit, reservation);
			case "gzip", "x-gzip", "deflate" -> expand(body, encoding, limit, reservation);
			default -> throw new ResponseStatusException(HttpStatus.UNSUPPORTED_MEDIA_TYPE,
					"Content-Encoding '%s' is not supported: send gzip, deflate or none."
						.formatted(InvalidRequestException.excerpt(encoding)));
		};
	}

	private static byte[] expand(InputStream body, String encoding, long limit, Reservation reservation)
			throws IOException {
		try (InputStream expanded = encoding.equalsIgnoreCase("deflate") ? new InflaterInputStream(body)
				: new GZIPInputStream(body, INITIAL_BYTES)) {
			return readAll(expanded, limit + 1, limit, reservation);
		}
		catch (ZipException | EOFException _) {
			throw new InvalidRequestException(
					"The body is not the %s that its Content-Encoding says.".formatted(encoding));
		}
	}

	// If the length is unknown, end is one byte more than the limit, so that a body that
	// is too large is recognized.
	private static byte[] readAll(InputStream stream, long end, long limit, Reservation reservation)
			throws IOException {
		int size = 0;
		byte[] body = resize(new byte[0], Math.min(INITIAL_BYTES, end), reservation);
		for (int count = 0; count >= 0 && size < end; size += Math.max(count, 0)) {
			if (size == body.length) {
				body = resize(body, Math.min((long) GROWTH_FACTOR * size, end), reservation);
			}
			count = stream.read(body, size, body.length - size);
		}
		if (size > limit) {
			throw tooLarge(limit);
		}
		return (size == body.length) ? body : resize(body, size, reservation);
	}

	private static byte[] resize(byte[] body, long bytes, Reservation reservation) {
		reservation.add(bytes);
		byte[] copy = Arrays.copyOf(body, (int) bytes);
		reservation.add(-body.length);
		return copy;
	}

	private static ResponseStatusException tooLarge(long limit) {
		return new ResponseStatusException(HttpStatus.CONTENT_TOO_LARGE,
				"The body is larger than %d bytes: send fewer rows per request, or raise %s.".formatted(limit,
						"inference.request.max-size"));
	}

	@Override
	public int read() throws IOException {
		byte[] one = new byte[1];
		return (read(one, 0, 1) < 0) ? -1 : Byte.toUnsignedInt(one[0]);
	}

	@Override
	public int read(byte[] target, int offset, int count) throws IOException {
		Deadline deadline = this.reservation.deadline();
		deadline.requireTime("was read");
		HttpProtocol.setReadTimeout(this.request, TimeUnit.NANOSECONDS.toMillis(deadline.remainingNanos()));
		try {
			if (this.stream.available() > 0) {
				return this.stream.read(target, offset, count);
			}
			return this.permits.awaitWithoutPermit(() -> this.stream.read(target, offset, count));
		}
		catch (IOException ex) {
			if (NestedExceptionUtils.getMostSpecificCause(ex) instanceof SocketTimeoutException) {
				throw deadline.exceededRejection("was read");
			}
			throw new InvalidRequestException("The body ended early, or its chunks are not valid.");
		}
	}

}
