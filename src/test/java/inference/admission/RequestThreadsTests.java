package inference.admission;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class RequestThreadsTests {

	private static final Duration NEVER = Duration.ofDays(1);

	private final CountDownLatch release = new CountDownLatch(1);

	private final Queue<Integer> begun = new ConcurrentLinkedQueue<>();

	private final Queue<Integer> ended = new ConcurrentLinkedQueue<>();

	@AfterEach
	void letEverybodyGo() {
		this.release.countDown();
	}

	@Test
	void aFewAreAtWorkAtOnce() {
		try (var threads = new RequestThreads(2, NEVER)) {
			IntStream.range(0, 5).forEach((number) -> threads.execute(() -> hold(number)));
			await().until(() -> this.begun.size() == 2);
			assertThat(threads.backlog()).isEqualTo(3);
			this.release.countDown();
			await().until(() -> this.ended.size() == 5);
			assertThat(threads.backlog()).isZero();
		}
	}

	@Test
	void theOthersBeginInTheOrderTheyCame() {
		try (var threads = new RequestThreads(1, NEVER)) {
			IntStream.range(0, 100).forEach((number) -> threads.execute(() -> hold(number)));
			this.release.countDown();
			await().until(() -> this.ended.size() == 100);
			assertThat(this.begun).containsExactlyElementsOf(IntStream.range(0, 100).boxed().toList());
		}
	}

	@Test
	void whoeverWaitsForTheModelMakesRoomAndNeedsNoneToComeBack() {
		var called = new CountDownLatch(1);
		try (var threads = new RequestThreads(1, NEVER)) {
			threads.execute(() -> {
				try (var _ = threads.pause()) {
					pass(called);
				}
				this.ended.add(0);
				pass(this.release);
			});
			threads.execute(() -> hold(1));
			await().until(() -> this.begun.contains(1));
			threads.execute(() -> hold(2));
			called.countDown();
			await().until(() -> this.ended.contains(0));
			assertThat(this.begun).containsExactly(1);
			this.release.countDown();
			await().until(() -> this.ended.contains(2));
		}
	}

	@Test
	void theTimeInLineIsTheFirstRequests() {
		var arrivals = new ConcurrentLinkedQueue<Long>();
		try (var threads = new RequestThreads(1, NEVER)) {
			threads.execute(() -> hold(0));
			long before = System.nanoTime();
			threads.execute(() -> arrivals.addAll(List.of(threads.arrival(), threads.arrival())));
			long after = System.nanoTime();
			this.release.countDown();
			await().until(() -> arrivals.size() == 2);
			assertThat(arrivals.element()).isBetween(before, after);
			assertThat(arrivals).element(1).matches((second) -> second > after);
		}
	}

	@Test
	void whoeverHasNotStoodInLineHasJustArrived() {
		var arrivals = new ConcurrentLinkedQueue<Long>();
		try (var threads = new RequestThreads(1, NEVER)) {
			long before = System.nanoTime();
			threads.execute(() -> arrivals.add(threads.arrival()));
			await().until(() -> arrivals.size() == 1);
			assertThat(arrivals.element()).isBetween(before, System.nanoTime());
		}
	}

	@Test
	void nothingIsKeptOfTheTimeInLineOfOneThatDoesNotAsk() {
		try (var threads = new RequestThreads(1, NEVER)) {
			IntStream.range(0, 3).forEach((number) -> threads.execute(() -> hold(number)));
			this.release.countDown();
			await().until(() -> this.ended.size() == 3 && threads.arrivals() == 0);
		}
	}

	@Test
	void whoeverRetiresMakesRoomOnce() {
		var rest = new CountDownLatch(1);
		try (var threads = new RequestThreads(1, NEVER)) {
			threads.execute(() -> {
				threads.retire();
				pass(rest);
				threads.retire();
				this.ended.add(0);
			});
			threads.execute(() -> hold(1));
			await().until(() -> this.begun.contains(1));
			threads.execute(() -> hold(2));
			rest.countDown();
			await().until(() -> this.ended.contains(0) && threads.retired() == 0);
			assertThat(this.begun).containsExactly(1);
			this.release.countDown();
			await().until(() -> this.ended.contains(2));
		}
	}

	@Test
	void thoseWhoseClientsAreSlowKeepNobodyFromBeginning() {
		try (var threads = new RequestThreads(2, Duration.ofMillis(1))) {
			IntStream.range(0, 20).forEach((number) -> threads.execute(() -> hold(number)));
			await().until(() -> this.begun.size() == 20);
			assertThat(this.ended).isEmpty();
		}
	}

	@Test
	void oneThatFailsMakesRoom() {
		var said = new ConcurrentLinkedQueue<String>();
		try (var threads = new RequestThreads(1, NEVER)) {
			for (int i = 0; i < 3; i++) {
				threads.execute(() -> {
					Thread.currentThread().setUncaughtExceptionHandler((_, ex) -> said.add(ex.getMessage()));
					throw new IllegalStateException("broken");
				});
			}
			threads.execute(() -> hold(1));
			await().until(() -> this.begun.contains(1));
			await().untilAsserted(() -> assertThat(said).containsExactly("broken", "broken", "broken"));
		}
	}

	@Test
	void eachHasAVirtualThreadOfItsOwn() {
		var seen = new ConcurrentLinkedQueue<Thread>();
		try (var threads = new RequestThreads(1, NEVER)) {
			for (int i = 0; i < 3; i++) {
				threads.execute(() -> seen.add(Thread.currentThread()));
			}
			await().until(() -> seen.size() == 3);
			assertThat(seen).allMatch(Thread::isVirtual).doesNotHaveDuplicates();
		}
	}

	private void hold(int number) {
		this.begun.add(number);
		pass(this.release);
		this.ended.add(number);
	}

	private static void pass(CountDownLatch latch) {
		try {
			assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
