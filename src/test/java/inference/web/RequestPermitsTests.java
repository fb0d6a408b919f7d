package inference.web;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How many requests are at work at once, and when one lets the next begin.
 */
class RequestPermitsTests {

	private static final int MAX_ACTIVE = 64;

	private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

	private final RequestPermits permits = new RequestPermits(this.registry);

	private final CountDownLatch outputs = new CountDownLatch(1);

	@AfterEach
	void endTheWaits() {
		this.outputs.countDown();
	}

	@Test
	void keepsThePermitDuringAShortWaitAndServesTheNextRequestInTheEnd() {
		awaitOutputs(MAX_ACTIVE, false);
		CountDownLatch next = new CountDownLatch(1);
		this.permits.execute(next::countDown);
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> backlog() == 1);
		this.outputs.countDown();
		assertThat(await(next)).isTrue();
	}

	@Test
	void givesThePermitBackDuringALongWait() {
		awaitOutputs(2 * MAX_ACTIVE, true);
		assertThat(backlog()).isZero();
	}

	@Test
	void keepsItsBoundThoughARequestBeganWithoutAPermitAndWaits() {
		awaitOutputs(MAX_ACTIVE, false);
		awaitOutputs(1, true);
		this.permits.execute(() -> await(this.outputs));
		Awaitility.await().pollInterval(Duration.ofMillis(2)).until(() -> backlog() == 1);
	}

	private void awaitOutputs(int requests, boolean isLong) {
		CountDownLatch waiting = new CountDownLatch(requests);
		for (int i = 0; i < requests; i++) {
			this.permits.execute(() -> this.permits.awaitWithPermitAtFirst((onLongWait) -> {
				if (isLong) {
					onLongWait.run();
				}
				waiting.countDown();
				return await(this.outputs);
			}));
		}
		assertThat(await(waiting)).isTrue();
	}

	private double backlog() {
		return this.registry.get("inference.backlog").gauge().value();
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
