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

import jakarta.servlet.http.HttpServletRequest;

import org.springframework.core.NestedExceptionUtils;
import org.springframework.http.HttpStatus;
import org.springframework.web.server.ResponseStatusException;

import inference.admission.Deadline;
import inference.admission.Reservation;
import inference.codec.InvalidRequestException;

/**
 * The body of a request, before decompression. Reading fails at the request's deadline.
 */
final class RequestBody extends InputStream {

	// The first array has at most this size, because a client may state a large length
	// and then send nothing.
	private static final int INITIAL_BYTES = 16 * 1024;

	private static final int GROWTH_FACTOR = 4;

	private final HttpServletRequest request;

	private final long maxBodyBytes;

	private final Reservation reservation;

	/**
	 * @param maxBodyBytes limits the body's stated length, and its length after
	 * decompression, in bytes
	 */
	RequestBody(HttpServletRequest request, long maxBodyBytes, Reservation reservation) {
		this.request = request;
		this.maxBodyBytes = maxBodyBytes;
		this.reservation = reservation;
	}

	static boolean isPresent(HttpServletRequest request) {
		return request.getContentLengthLong() > 0 || request.getHeader("Transfer-Encoding") != null;
	}

	/** Reads the whole body, and decompresses a compressed body. */
	byte[] readDecompressed() throws IOException {
		long length = this.request.getContentLengthLong();
		requireAllowedSize(length);
		String encoding = Objects.requireNonNullElse(this.request.getHeader("Content-Encoding"), "identity");
		try {
			return switch (encoding.toLowerCase(Locale.ROOT)) {
				case "identity" -> readAll(this, (length >= 0) ? length : this.maxBodyBytes + 1);
				case "gzip", "x-gzip" -> readAll(new GzipStream(this, INITIAL_BYTES), this.maxBodyBytes + 1);
				case "deflate" -> readAll(new InflaterInputStream(this), this.maxBodyBytes + 1);
				default -> throw new ResponseStatusException(HttpStatus.UNSUPPORTED_MEDIA_TYPE,
						"Content-Encoding '%s' is not supported: send gzip, deflate or none."
							.formatted(InvalidRequestException.excerpt(encoding)));
			};
		}
		catch (ZipException | EOFException _) {
			throw new InvalidRequestException(
					"The Content-Encoding is %1$s, but the body is not valid %1$s.".formatted(encoding));
		}
	}

	// Reads at most maxLength bytes. If the body's length is unknown, maxLength is one
	// byte above the limit, so that requireAllowedSize() notices a body that is too
	// large.
	private byte[] readAll(InputStream source, long maxLength) throws IOException {
		try (source) {
			byte[] body = resize(new byte[0], Math.min(INITIAL_BYTES, maxLength));
			int size = source.readNBytes(body, 0, body.length);
			while (size == body.length && size < maxLength) {
				body = resize(body, Math.min((long) GROWTH_FACTOR * size, maxLength));
				size += source.readNBytes(body, size, body.length - size);
			}
			requireAllowedSize(size);
			return (size == body.length) ? body : resize(body, size);
		}
	}

	private byte[] resize(byte[] body, long bytes) {
		this.reservation.add(bytes);
		byte[] copy = Arrays.copyOf(body, (int) bytes);
		this.reservation.add(-body.length);
		return copy;
	}

	private void requireAllowedSize(long bytes) {
		if (bytes > this.maxBodyBytes) {
			throw new ResponseStatusException(HttpStatus.CONTENT_TOO_LARGE,
					"The body is larger than %d bytes: send fewer rows per request, or raise inference.request.max-size."
						.formatted(this.maxBodyBytes));
		}
	}

	@Override
	public int read() throws IOException {
		byte[] singleByte = new byte[1];
		return (read(singleByte, 0, 1) < 0) ? -1 : Byte.toUnsignedInt(singleByte[0]);
	}

	@Override
	public int read(byte[] target, int offset, int count) throws IOException {
		Deadline deadline = this.reservation.deadline();
		long remainingNanos = deadline.remainingNanos();
		if (remainingNanos <= 0) {
			throw deadline.exceededRejection("was read");
		}
		HttpProtocol.setReadTimeout(this.request, TimeUnit.NANOSECONDS.toMillis(remainingNanos));
		try {
			return this.request.getInputStream().read(target, offset, count);
		}
		catch (IOException ex) {
			if (NestedExceptionUtils.getMostSpecificCause(ex) instanceof SocketTimeoutException) {
				throw deadline.exceededRejection("was read");
			}
			throw new InvalidRequestException("The body ended early, or its chunks are not valid.");
		}
	}

	/**
	 * A stream that refuses many empty gzip members in a row, because
	 * {@link GZIPInputStream#read} calls itself for each of them.
	 */
	private static final class GzipStream extends GZIPInputStream {

		private static final int MAX_EMPTY_MEMBERS = 100;

		private int recursionDepth;

		GzipStream(InputStream source, int bufferBytes) throws IOException {
			super(source, bufferBytes);
		}

		@Override
		public int read(byte[] target, int offset, int count) throws IOException {
			if (this.recursionDepth > MAX_EMPTY_MEMBERS) {
				throw new ZipException("too many empty members");
			}
			this.recursionDepth++;
			try {
				return super.read(target, offset, count);
			}
			finally {
				this.recursionDepth--;
			}
		}

	}

}
