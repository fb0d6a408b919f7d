package inference.web;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.DeflaterOutputStream;
import java.util.zip.GZIPInputStream;

import org.junit.jupiter.api.Test;

import inference.Server;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Bodies and answers that are compressed.
 */
class CompressionTests {

	private static final String ROW = "{\"instances\":[[1,2]]}";

	private static final String ROWS = "{\"instances\":[%s[1,2]]}".formatted("[1,2],".repeat(5000));

	private final Server server = Server.shared();

	@Test
	void readsDeflate() throws Exception {
		ByteArrayOutputStream compressed = new ByteArrayOutputStream();
		try (DeflaterOutputStream deflate = new DeflaterOutputStream(compressed)) {
			deflate.write(ROW.getBytes(StandardCharsets.UTF_8));
		}
		byte[] body = compressed.toByteArray();
		assertThat(ask(body, "Content-Encoding", "deflate").statusCode()).isEqualTo(200);
		HttpResponse<byte[]> cut = ask(Arrays.copyOf(body, body.length / 2), "Content-Encoding", "deflate");
		assertThat(cut.statusCode()).isEqualTo(400);
		assertThat(new String(cut.body(), StandardCharsets.UTF_8)).contains("not the deflate that");
	}

	@Test
	void compressesALargeAnswerForAClientThatAsks() throws Exception {
		byte[] body = ROWS.getBytes(StandardCharsets.UTF_8);
		HttpResponse<byte[]> plain = ask(body, "Accept-Encoding", "identity");
		HttpResponse<byte[]> compressed = ask(body, "Accept-Encoding", "gzip");
		assertThat(plain.headers().firstValue("Content-Encoding")).isEmpty();
		assertThat(compressed.headers().firstValue("Content-Encoding")).contains("gzip");
		assertThat(compressed.body().length).isLessThan(plain.body().length / 10);
		assertThat(new GZIPInputStream(new ByteArrayInputStream(compressed.body())).readAllBytes())
			.isEqualTo(plain.body());
	}

	private HttpResponse<byte[]> ask(byte[] body, String header, String value) throws Exception {
		try (HttpClient client = HttpClient.newHttpClient()) {
			URI address = URI.create("http://localhost:%d/".formatted(this.server.port()));
			return client.send(HttpRequest.newBuilder(address)
				.header(header, value)
				.POST(BodyPublishers.ofByteArray(body))
				.build(), BodyHandlers.ofByteArray());
		}
	}

}
