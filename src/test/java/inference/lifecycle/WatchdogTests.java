package inference.lifecycle;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import inference.model.FakeModel;
import inference.model.Gate;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests when a model counts as stuck, on a clock that the test moves.
 */
class WatchdogTests {

	private static final Duration STUCK_AFTER = Lifecycles.STUCK_AFTER;

	private final AtomicLong now = new AtomicLong(1);

	private final FakeModel model = new FakeModel();

	private final CountDownLatch ready = new CountDownLatch(1);

	private final ModelLifecycle lifecycle = Lifecycles.of(() -> this.model, (event) -> {
		if (event instanceof Snapshot snapshot && snapshot.state() == State.READY) {
			this.ready.countDown();
		}
	}, Duration.ZERO, this.now::get);

	private final Gate first = new Gate();

	private final Gate second = new Gate();

	@AfterEach
	void openTheGate() {
		this.first.open();
		this.second.open();
	}

	@Test
	void anOldCallIsStuckWhenNothingElseReturns() throws Exception {
		start();
		hold(this.first);
		pass(STUCK_AFTER.minusNanos(1));
		assertThat(state()).isEqualTo(State.READY);
		pass(Duration.ofNanos(1));
		assertThat(state()).isEqualTo(State.STUCK);
	}

	@Test
	void anOldCallIsNotStuckWhileOthersReturn() throws Exception {
		start();
		hold(this.first);
		for (int i = 0; i < 5; i++) {
			pass(STUCK_AFTER.dividedBy(2));
			this.model.behave(FakeModel::echo);
			this.lifecycle.infer(FakeModel.question(1), IllegalStateException::new);
			assertThat(state()).isEqualTo(State.READY);
		}
	}

	@Test
	void anIdleModelIsNeverStuck() throws Exception {
		start();
		pass(STUCK_AFTER.multipliedBy(100));
		assertThat(state()).isEqualTo(State.READY);
	}

	@Test
	void manyYoungCallsAreNotStuckHoweverLongTheModelWasIdle() throws Exception {
		start();
		pass(STUCK_AFTER.multipliedBy(100));
		hold(this.first);
		hold(this.second);
		pass(STUCK_AFTER.minusNanos(1));
		assertThat(state()).isEqualTo(State.READY);
	}

	@Test
	void aStuckModelRecoversWhenItsCallReturns() throws Exception {
		start();
		Thread held = hold(this.first);
		pass(STUCK_AFTER);
		assertThat(state()).isEqualTo(State.STUCK);
		this.first.open();
		assertThat(held.join(Duration.ofSeconds(10))).isTrue();
		pass(Duration.ZERO);
		assertThat(state()).isEqualTo(State.READY);
	}

	@Test
	void aModelThatLoadsForLongIsNotStuck() throws Exception {
		Gate loading = new Gate();
		ModelLifecycle slow = Lifecycles.of(() -> {
			loading.pass();
			return this.model;
		}, (_) -> {
		}, Duration.ZERO, this.now::get);
		slow.start();
		loading.awaitArrivals(1);
		this.now.addAndGet(STUCK_AFTER.multipliedBy(3).toNanos());
		slow.updateStuckState();
		assertThat(slow.snapshot().state()).isEqualTo(State.LOADING);
		loading.open();
	}

	private void start() throws InterruptedException {
		this.lifecycle.start();
		assertThat(this.ready.await(10, TimeUnit.SECONDS)).isTrue();
	}

	private Thread hold(Gate gate) {
		this.model.holdUpAt(gate);
		Thread held = Thread
			.startVirtualThread(() -> this.lifecycle.infer(FakeModel.question(1), IllegalStateException::new));
		gate.awaitArrivals(1);
		return held;
	}

	private void pass(Duration time) {
		this.now.addAndGet(time.toNanos());
		this.lifecycle.updateStuckState();
	}

	private State state() {
		return this.lifecycle.snapshot().state();
	}

}
