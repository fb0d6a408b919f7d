package inference.admission;

import java.lang.ScopedValue.CallableOp;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How many threads decode and encode at once, and when one lets the next begin.
 */
class CodecPermitsTests {

	private static final int PERMITS = Runtime.getRuntime().availableProcessors();

	private static final long LARGE = 1 << 20;

	private final CodecPermits permits = new CodecPermits();

	private final CountDownLatch busy = new CountDownLatch(PERMITS);

	private final CountDownLatch end = new CountDownLatch(1);

	@AfterEach
	void endTheTasks() {
		this.end.countDown();
	}

	@Test
	void letsTheNextBeginWhenOneEnds() throws Exception {
		occupyAll(() -> this.permits.callWithPermit(LARGE, this::awaitEnd));
		CompletableFuture<Boolean> next = next();
		assertThat(next).isNotDone();
		this.end.countDown();
		assertThat(next).succeedsWithin(10, TimeUnit.SECONDS);
	}

	@Test
	void letsTheNextBeginWhileOthersWaitForTheirClients() throws Exception {
		occupyAll(() -> this.permits.callWithPermit(LARGE, () -> this.permits.callWithoutPermit(this::awaitEnd)));
		assertThat(next()).succeedsWithin(10, TimeUnit.SECONDS);
	}

	private void occupyAll(CallableOp<Boolean, InterruptedException> task) throws InterruptedException {
		for (int i = 0; i < PERMITS; i++) {
			Thread.startVirtualThread(() -> {
				try {
					task.call();
				}
				catch (InterruptedException ex) {
					Thread.currentThread().interrupt();
				}
			});
		}
		assertThat(this.busy.await(10, TimeUnit.SECONDS)).isTrue();
	}

	private boolean awaitEnd() throws InterruptedException {
		this.busy.countDown();
		return this.end.await(10, TimeUnit.SECONDS);
	}

	private CompletableFuture<Boolean> next() {
		CompletableFuture<Boolean> next = new CompletableFuture<>();
		Thread.startVirtualThread(() -> next.complete(this.permits.callWithPermit(LARGE, () -> true)));
		return next;
	}

}
