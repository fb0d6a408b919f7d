package inference.web;

import java.io.IOException;
import java.io.OutputStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import inference.admission.Deadline;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * When a request lets the next one begin. There is one permit.
 */
class RequestPermitsTests {

	private static final Duration FOREVER = Duration.ofHours(1);

	private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

	private final CountDownLatch waiting = new CountDownLatch(1);

	private final CountDownLatch end = new CountDownLatch(1);

	private final CountDownLatch next = new CountDownLatch(1);

	@AfterEach
	void endTheWaits() {
		this.end.countDown();
	}

	@Test
	void keepsThePermitDuringAShortWaitAndServesTheNextRequestInTheEnd() {
		var permits = new RequestPermits(this.registry, 1, FOREVER);
		permits.execute(() -> permits.awaitWithPermitAtFirst((_) -> waitForTheEnd()));
		assertThat(await(this.waiting)).isTrue();
		permits.execute(this.next::countDown);
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> backlog() == 1);
		this.end.countDown();
		assertThat(await(this.next)).isTrue();
	}

	@Test
	void givesThePermitBackDuringALongWait() {
		var permits = new RequestPermits(this.registry, 1, FOREVER);
		permits.execute(() -> permits.awaitWithPermitAtFirst((onLongWait) -> {
			onLongWait.run();
			return waitForTheEnd();
		}));
		permits.execute(this.next::countDown);
		assertThat(await(this.next)).isTrue();
	}

	@Test
	void givesThePermitBackWhileASlowClientReadsALargeAnswer() {
		var permits = new RequestPermits(this.registry, 1, FOREVER);
		OutputStream slow = new OutputStream() {
			@Override
			public void write(int value) {
			}

			@Override
			public void write(byte[] source, int offset, int count) {
				waitForTheEnd();
			}
		};
		permits.execute(() -> {
			try (var answer = new AnswerStream(slow, new Deadline(System.nanoTime() + FOREVER.toNanos(), FOREVER),
					permits)) {
				answer.write(new byte[100_000]);
			}
			catch (IOException ex) {
				throw new IllegalStateException(ex);
			}
		});
		assertThat(await(this.waiting)).isTrue();
		permits.execute(this.next::countDown);
		assertThat(await(this.next)).isTrue();
	}

	@Test
	void servesTheNextRequestThoughTheFirstBlocksWithThePermit() {
		var permits = new RequestPermits(this.registry, 1, Duration.ofMillis(1));
		permits.execute(this::waitForTheEnd);
		permits.execute(this.next::countDown);
		assertThat(await(this.next)).isTrue();
	}

	@Test
	void keepsItsBoundThoughARequestBeganWithoutAPermitAndWaits() {
		var permits = new RequestPermits(this.registry, 1, Duration.ofMillis(500));
		permits.execute(() -> await(this.end));
		permits.execute(() -> permits.awaitWithPermitAtFirst((onLongWait) -> {
			onLongWait.run();
			return waitForTheEnd();
		}));
		assertThat(await(this.waiting)).isTrue();
		permits.execute(this.next::countDown);
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> backlog() == 1);
	}

	private double backlog() {
		return this.registry.get("inference.backlog").gauge().value();
	}

	private boolean waitForTheEnd() {
		this.waiting.countDown();
		return await(this.end);
	}

	private static boolean await(CountDownLatch latch) {
		try {
			return latch.await(10, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
