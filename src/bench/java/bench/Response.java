package bench;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * An HTTP answer on its way: its status, and whether it is all there.
 */
final class Response {

	private static final byte[] LAST_CHUNK = "0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

	private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: *(\\d+)");

	private final int status;

	private final boolean chunked;

	private final boolean last;

	// Of the body, if it is not in chunks
	private long missing;

	private boolean complete;

	private Response(String head) {
		this.status = Integer.parseInt(head.substring(9, 12));
		this.last = head.contains("\r\nconnection: close");
		this.chunked = head.contains("\r\ntransfer-encoding: chunked");
		Matcher length = LENGTH.matcher(head);
		this.missing = length.find() ? Long.parseLong(length.group(1)) : 0;
	}

	/** Reads the head, or nothing if it is not all there. */
	static @Nullable Response head(ByteBuffer buffer) {
		for (int end = 4; end <= buffer.position(); end++) {
			if (buffer.getInt(end - 4) == 0x0D0A0D0A) {
				byte[] head = new byte[end];
				buffer.get(0, head);
				Response response = new Response(new String(head, StandardCharsets.US_ASCII).toLowerCase(Locale.ROOT));
				response.body(buffer, buffer.position() - end);
				return response;
			}
		}
		return null;
	}

	/**
	 * Takes more of the body.
	 * @param buffer the last bytes that came; left with room for more
	 * @param count how many came
	 */
	void body(ByteBuffer buffer, int count) {
		this.missing -= count;
		if (!this.chunked) {
			this.complete = this.missing <= 0;
			buffer.clear();
			return;
		}
		byte[] end = new byte[Math.min(buffer.position(), LAST_CHUNK.length)];
		buffer.get(buffer.position() - end.length, end);
		this.complete = Arrays.equals(end, LAST_CHUNK);
		buffer.clear().put(end);
	}

	int status() {
		return this.status;
	}

	boolean isComplete() {
		return this.complete;
	}

	/** Whether the server closes the connection behind it. */
	boolean isLast() {
		return this.last;
	}

}
