package inference.web;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.net.SocketTimeoutException;
import java.util.concurrent.TimeUnit;

import org.apache.catalina.connector.ClientAbortException;

import inference.admission.Deadline;
import inference.web.RequestExecutor.Wait;

/**
 * The stream that carries an answer to its client. If the client reads a large answer so
 * slowly that the deadline passes, the stream disconnects the client to free memory.
 */
final class AnswerStream extends FilterOutputStream {

	// An answer of up to this size fits into the socket's buffer, so writing it does not
	// block.
	private static final int SEND_BUFFER_BYTES = 64 * 1024;

	// A client has at least this time to read its answer, even after a slow model run.
	private static final long MIN_WRITE_NANOS = TimeUnit.SECONDS.toNanos(1);

	private final long writeDeadlineNanos;

	private final RequestExecutor requestExecutor;

	private long writtenBytes;

	AnswerStream(OutputStream stream, Deadline deadline, RequestExecutor requestExecutor) {
		super(stream);
		this.requestExecutor = requestExecutor;
		this.writeDeadlineNanos = System.nanoTime() + Math.max(deadline.remainingNanos(), MIN_WRITE_NANOS);
	}

	@Override
	public void write(byte[] source, int offset, int count) throws IOException {
		this.writtenBytes += count;
		if (this.writtenBytes <= SEND_BUFFER_BYTES) {
			this.out.write(source, offset, count);
			return;
		}
		if (this.writeDeadlineNanos - System.nanoTime() <= 0) {
			throw new ClientAbortException(
					new SocketTimeoutException("The deadline passed while the client read its answer"));
		}
		try (Wait _ = this.requestExecutor.beginWait()) {
			this.out.write(source, offset, count);
		}
	}

}
