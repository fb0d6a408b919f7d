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
import inference.web.RequestExecutor.Wait;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Requests that share one permit, and the waits during which the next request may run.
 */
class RequestExecutorTests {

	private static final Duration FOREVER = Duration.ofHours(1);

	private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

	private final CountDownLatch firstIsWaiting = new CountDownLatch(1);

	private final CountDownLatch firstMayEnd = new CountDownLatch(1);

	private final CountDownLatch nextHasRun = new CountDownLatch(1);

	@AfterEach
	void endTheWaits() {
		this.firstMayEnd.countDown();
	}

	@Test
	void keepsThePermitUnlessItWaits() {
		var executor = new RequestExecutor(this.registry, 1, FOREVER);
		executor.execute(this::waitForTheEnd);
		assertThat(await(this.firstIsWaiting)).isTrue();
		executor.execute(this.nextHasRun::countDown);
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> backlog() == 1);
		this.firstMayEnd.countDown();
		assertThat(await(this.nextHasRun)).isTrue();
	}

	@Test
	void givesThePermitBackWhileItWaits() {
		var executor = new RequestExecutor(this.registry, 1, FOREVER);
		executor.execute(() -> waitWithoutPermit(executor));
		executor.execute(this.nextHasRun::countDown);
		assertThat(await(this.nextHasRun)).isTrue();
	}

	@Test
	void givesThePermitBackWhileASlowClientReadsALargeAnswer() {
		var executor = new RequestExecutor(this.registry, 1, FOREVER);
		OutputStream slow = new OutputStream() {
			@Override
			public void write(int value) {
			}

			@Override
			public void write(byte[] source, int offset, int count) {
				waitForTheEnd();
			}
		};
		executor.execute(() -> {
			try (var answer = new AnswerStream(slow, new Deadline(System.nanoTime() + FOREVER.toNanos(), FOREVER),
					executor)) {
				answer.write(new byte[100_000]);
			}
			catch (IOException ex) {
				throw new IllegalStateException(ex);
			}
		});
		assertThat(await(this.firstIsWaiting)).isTrue();
		executor.execute(this.nextHasRun::countDown);
		assertThat(await(this.nextHasRun)).isTrue();
	}

	@Test
	void servesTheNextRequestEvenIfTheFirstBlocksWithThePermit() {
		var executor = new RequestExecutor(this.registry, 1, Duration.ofMillis(1));
		executor.execute(this::waitForTheEnd);
		executor.execute(this.nextHasRun::countDown);
		assertThat(await(this.nextHasRun)).isTrue();
	}

	@Test
	void keepsItsLimitAfterARequestBeganWithoutAPermit() {
		var executor = new RequestExecutor(this.registry, 1, Duration.ofMillis(500));
		executor.execute(() -> await(this.firstMayEnd));
		executor.execute(() -> waitWithoutPermit(executor));
		assertThat(await(this.firstIsWaiting)).isTrue();
		executor.execute(this.nextHasRun::countDown);
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> backlog() == 1);
	}

	private double backlog() {
		return this.registry.get("inference.backlog").gauge().value();
	}

	private void waitWithoutPermit(RequestExecutor executor) {
		try (Wait _ = executor.beginWait()) {
			waitForTheEnd();
		}
	}

	private void waitForTheEnd() {
		this.firstIsWaiting.countDown();
		await(this.firstMayEnd);
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
