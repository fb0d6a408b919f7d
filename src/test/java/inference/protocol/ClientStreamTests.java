package inference.protocol;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import org.springframework.mock.web.DelegatingServletInputStream;

import inference.admission.Admissions;
import inference.admission.RequestThreads;

import static org.assertj.core.api.Assertions.assertThat;

class ClientStreamTests {

	private final RequestThreads one = Admissions.threads();

	private final SlowClient client = new SlowClient();

	@Test
	void whoeverWaitsForItsClientLetsAnotherBegin() throws Exception {
		var slow = new CompletableFuture<Integer>();
		var other = new CompletableFuture<String>();
		this.one.execute(() -> slow.complete(read()));
		this.one.execute(() -> other.complete("began"));
		assertThat(other.get(10, TimeUnit.SECONDS)).isEqualTo("began");
		assertThat(slow).isNotDone();
		this.client.sent.countDown();
		assertThat(slow.get(10, TimeUnit.SECONDS)).isEqualTo('{');
	}

	private int read() {
		try (var stream = new ClientStream(new DelegatingServletInputStream(this.client), this.one)) {
			return stream.read();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/**
	 * Sends a brace, in the end.
	 */
	@SuppressWarnings("InputStreamSlowMultibyteRead") // it sends one byte
	private static final class SlowClient extends InputStream {

		private final CountDownLatch sent = new CountDownLatch(1);

		@Override
		public int available() {
			return (this.sent.getCount() == 0) ? 1 : 0;
		}

		@Override
		public int read() throws IOException {
			try {
				this.sent.await();
				return '{';
			}
			catch (InterruptedException ex) {
				throw new IOException(ex);
			}
		}

	}

}
