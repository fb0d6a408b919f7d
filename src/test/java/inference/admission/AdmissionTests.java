package inference.admission;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import inference.admission.Rejection.Kind;
import inference.lifecycle.Lifecycles;
import inference.lifecycle.ModelLifecycle;
import inference.model.FakeModel;
import inference.model.Gate;
import inference.model.InsufficientMemoryException;
import inference.model.Shape;
import inference.model.Tensor;

import static inference.admission.Admissions.assertRejected;
import static inference.admission.Admissions.infer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class AdmissionTests {

	private static final Duration LONG = Duration.ofSeconds(10);

	private static final Duration SHORT = Duration.ofMillis(20);

	private final FakeModel model = new FakeModel();

	private final Gate gate = new Gate();

	/** The numbers in each run of the model. */
	private final ConcurrentLinkedQueue<List<Float>> runs = new ConcurrentLinkedQueue<>();

	private final ModelLifecycle lifecycle = Lifecycles.ready(this.model);

	@BeforeEach
	void holdUpCalls() {
		holdUpCalls(this.model, this.gate);
	}

	@AfterEach
	void openTheGate() {
		this.gate.open();
	}

	@Test
	void runsAtMostMaxConcurrentCallsAtOnce() throws Exception {
		var admission = admission(2, 10);
		List<Caller> callers = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			callers.add(call(admission, i));
		}
		this.gate.awaitArrivals(2);
		this.gate.open();
		for (int i = 0; i < 5; i++) {
			assertThat(callers.get(i).answer()).containsExactly(i);
		}
		assertThat(this.model.mostInside()).isEqualTo(2);
	}

	@Test
	void servesQueuedCallsInTheirOrder() throws Exception {
		var admission = admission(1, 10);
		var first = occupy(admission);
		var second = queue(admission, 2);
		var third = queue(admission, 3);
		var fourth = queue(admission, 4);
		this.gate.open();
		for (var caller : List.of(first, second, third, fourth)) {
			caller.answer();
		}
		assertThat(this.runs).flatMap((run) -> run).containsExactly(1f, 2f, 3f, 4f);
	}

	@RepeatedTest(10)
	void servesQueuedCallsBeforeNewOnes() throws Exception {
		var admission = admission(1, 10);
		var twice = new Caller(() -> {
			infer(admission, FakeModel.question(1));
			return infer(admission, FakeModel.question(3));
		});
		this.gate.awaitArrivals(1);
		var waiting = queue(admission, 2);
		this.gate.open();
		waiting.answer();
		twice.answer();
		assertThat(this.runs).flatMap((run) -> run).containsExactly(1f, 2f, 3f);
	}

	@Test
	void refusesAtOnceWhenTheQueueIsFull() throws Exception {
		var admission = admission(1, 1);
		var inside = occupy(admission);
		var waiting = queue(admission, 2);
		assertRejected(Kind.OVERLOADED, () -> infer(admission, FakeModel.question(3)))
			.withMessageStartingWith("The server is busy: 1 of at most 1 calls are queued")
			.satisfies((rejection) -> assertThat(rejection.retryAfter()).isPositive());
		// A request is refused before its body is read.
		assertRejected(Kind.OVERLOADED, () -> admission.admit(null));
		this.gate.open();
		assertThat(inside.answer()).containsExactly(1);
		assertThat(waiting.answer()).containsExactly(2);
		assertThat(admission.admit(null)).isNotNull();
	}

	@Test
	void fillsEveryFreeSlotWithoutAQueue() throws Exception {
		var admission = admission(2, 0);
		var first = occupy(admission);
		assertThat(admission.admit(null)).isNotNull();
		var second = call(admission, 2);
		this.gate.awaitArrivals(1);
		assertRejected(Kind.OVERLOADED, () -> infer(admission, FakeModel.question(3)));
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(second.answer()).containsExactly(2);
	}

	@Test
	void letsItsCallerRunALongWait() {
		var admission = admission(1, 1);
		try (Reservation reservation = admission.admit(LONG)) {
			Map<String, Tensor> outputs = admission.infer(FakeModel.question(1), reservation, null, () -> false,
					(wait) -> {
						this.gate.open();
						wait.run();
					});
			assertThat(outputs).containsKey("y");
		}
	}

	@Test
	void waitsForAFastModelWithoutALongWait() {
		var admission = admission(1, 1);
		this.gate.open();
		AtomicInteger longWaits = new AtomicInteger();
		for (int i = 0; i < 100; i++) {
			try (Reservation reservation = admission.admit(LONG)) {
				admission.infer(FakeModel.question(1), reservation, null, () -> false, (wait) -> {
					longWaits.incrementAndGet();
					wait.run();
				});
			}
		}
		assertThat(longWaits).hasValueLessThan(50);
	}

	@Test
	void refusesACallWhoseDeadlinePassesInTheQueue() throws Exception {
		var admission = admission(1, 1);
		var inside = occupy(admission);
		// The second call is queued only if the first has left the queue.
		for (int i = 0; i < 2; i++) {
			assertRejected(Kind.DEADLINE_EXCEEDED, () -> infer(admission, FakeModel.question(2), SHORT))
				.withMessage("The deadline of 20 ms passed while the request waited for the model.");
		}
		this.gate.open();
		assertThat(inside.answer()).containsExactly(1);
		assertThat(this.runs).flatMap((run) -> run).containsExactly(1f);
	}

	@Test
	void refusesAtOnceACallThatWouldStartInTimeButEndTooLate() {
		var admission = admission(1, 10);
		admission.afterTimedRun(Duration.ofMillis(500).toNanos());
		occupy(admission);
		assertRejected(Kind.OVERLOADED, () -> infer(admission, FakeModel.question(3), Duration.ofMillis(600)));
	}

	@Test
	void admitsACallThatMeetsItsDeadlineIfTheRunningCallIsHalfDone() throws Exception {
		var admission = admission(1, 10);
		admission.afterTimedRun(Duration.ofMillis(500).toNanos());
		var inside = occupy(admission);
		var ofTwo = Duration.ofNanos(2 * admission.predictedWaitNanos());
		var waiting = queue(() -> infer(admission, FakeModel.question(3), ofTwo));
		this.gate.open();
		assertThat(inside.answer()).containsExactly(1);
		assertThat(waiting.answer()).containsExactly(3);
	}

	@Test
	void refusesAtOnceACallWithTooLittleMarginBeforeItsDeadline() {
		var admission = admission(1, 10);
		admission.afterTimedRun(Duration.ofMillis(500).toNanos());
		occupy(admission);
		long each = admission.predictedWaitNanos();
		var nextToNothingLeft = Duration.ofNanos(each + each / 2 + each / 16);
		assertRejected(Kind.OVERLOADED, () -> infer(admission, FakeModel.question(3), nextToNothingLeft));
	}

	@Test
	void doesNotStartACallThatWouldMissItsDeadline() throws Exception {
		var admission = admission(1, 10);
		admission.afterTimedRun(Duration.ofMillis(200).toNanos());
		var inside = occupy(admission);
		long due = System.nanoTime() + Duration.ofMillis(500).toNanos();
		var waiting = queue(() -> infer(admission, FakeModel.question(3), Duration.ofMillis(500)));
		await().pollInterval(Duration.ofMillis(1)).until(() -> due - System.nanoTime() < 150_000_000);
		this.gate.open();
		assertThat(inside.answer()).containsExactly(1);
		assertRejected(Kind.DEADLINE_EXCEEDED, waiting::answer);
		assertThat(this.runs).containsExactly(List.of(1f));
	}

	@Test
	void predictsByTheTimeThatASlotIsTaken() throws Exception {
		var admission = admission(1, 10);
		admission.afterTimedRun(Duration.ofMillis(10).toNanos());
		var inside = occupy(admission);
		long before = admission.predictedWaitNanos();
		var slow = queue(() -> infer(admission, FakeModel.question(3), LONG, () -> {
			spin(Duration.ofMillis(100));
			return false;
		}));
		this.gate.open();
		inside.answer();
		slow.answer();
		var another = new Gate();
		holdUpCalls(this.model, another);
		var last = call(admission, 4);
		another.awaitArrivals(1);
		assertThat(admission.predictedWaitNanos()).isGreaterThan(before);
		another.open();
		last.answer();
	}

	@Test
	void predictsNoLessAfterCallsThatMissedTheirDeadline() {
		var admission = admission(1, 10);
		// The average is one second. The second run is short, so that calls with a short
		// deadline are started.
		admission.afterTimedRun(Duration.ofMillis(1999).toNanos());
		admission.afterTimedRun(Duration.ofMillis(1).toNanos());
		for (int i = 0; i < 3; i++) {
			var late = new Gate();
			this.model.behave((_) -> {
				late.passUninterruptibly();
				throw new IllegalStateException("ended");
			});
			assertRejected(Kind.DEADLINE_EXCEEDED,
					() -> infer(admission, FakeModel.question(2), Duration.ofMillis(100)));
			late.awaitArrivals(1);
			late.open();
			await().pollInterval(Duration.ofMillis(1)).until(() -> admission.predictedWaitNanos() == 0);
		}
		holdUpCalls();
		occupy(admission);
		assertThat(Duration.ofNanos(admission.predictedWaitNanos())).isGreaterThan(Duration.ofSeconds(1));
	}

	@Test
	void excludesTheTimeToFillABatchFromThePrediction() throws Exception {
		this.gate.open();
		var admission = batching(3, Duration.ofMillis(300));
		assertThat(call(admission, 1).answer()).containsExactly(1);
		var another = new Gate();
		holdUpCalls(this.model, another);
		var inside = new Caller(() -> infer(admission, FakeModel.question(2, 3, 4)));
		another.awaitArrivals(1);
		assertThat(Duration.ofNanos(admission.predictedWaitNanos())).isLessThan(Duration.ofMillis(200));
		another.open();
		assertThat(inside.answer()).containsExactly(2, 3, 4);
	}

	@Test
	void waitsForAFullBatchWithoutAQueue() throws Exception {
		this.gate.open();
		var admission = batching(this.lifecycle, new AdmissionProperties(2, 0), 2, LONG.minusSeconds(1));
		var callers = List.of(call(admission, 1), call(admission, 2));
		for (var caller : callers) {
			assertThat(caller.answer()).hasSize(1);
		}
		assertThat(this.runs).hasSize(1);
	}

	@Test
	void runsQueuedCallsAsOneBatch() throws Exception {
		var admission = batching(3, Duration.ZERO);
		var first = occupy(admission);
		var callers = List.of(queue(admission, 2), queue(admission, 3), queue(admission, 4), queue(admission, 5));
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		for (int i = 0; i < 4; i++) {
			assertThat(callers.get(i).answer()).containsExactly(i + 2);
		}
		assertThat(this.runs).containsExactly(List.of(1f), List.of(2f, 3f, 4f), List.of(5f));
	}

	@Test
	void neverMixesRowsOfDifferentShapes() throws Exception {
		var tables = new FakeModel(Shape.of(Shape.VARIABLE, Shape.VARIABLE));
		var admission = batching(Lifecycles.ready(tables), new AdmissionProperties(1, 10), 8, Duration.ZERO);
		holdUpCalls(tables, this.gate);
		var first = new Caller(() -> infer(admission, table(1, 1)));
		this.gate.awaitArrivals(1);
		var narrow = queue(() -> infer(admission, table(1, 2)));
		var wide = queue(() -> infer(admission, table(2, 3)));
		var narrowAgain = queue(() -> infer(admission, table(1, 4)));
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(narrow.answer()).containsExactly(2);
		assertThat(wide.answer()).containsExactly(3, 3);
		assertThat(narrowAgain.answer()).containsExactly(4);
		assertThat(this.runs).containsExactly(List.of(1f), List.of(2f, 4f), List.of(3f, 3f));
	}

	@Test
	void answersTheOtherCallsOfABatchWhenTheModelRefusesOne() throws Exception {
		var admission = batching(8, Duration.ZERO);
		this.model.behave((inputs) -> {
			this.gate.pass();
			if (floats(inputs).contains(-1f)) {
				throw new IllegalArgumentException("-1 is unusable");
			}
			return FakeModel.echo(inputs);
		});
		var first = occupy(admission);
		var good = queue(admission, 2);
		var bad = queue(admission, -1);
		var goodToo = queue(admission, 3);
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(good.answer()).containsExactly(2);
		assertThat(goodToo.answer()).containsExactly(3);
		assertRejected(Kind.INVALID_INPUT, bad::answer).withMessage("The model cannot use the input: -1 is unusable.");
	}

	@Test
	void answersCallsBesideAnUnusableOneAsSoonAsTheyHaveOutputs() throws Exception {
		var admission = batching(8, Duration.ZERO);
		var secondHalf = new Gate();
		this.model.behave((inputs) -> {
			this.runs.add(floats(inputs));
			this.gate.pass();
			if (floats(inputs).equals(List.of(-1f, 5f))) {
				secondHalf.pass();
			}
			if (floats(inputs).contains(-1f)) {
				throw new IllegalArgumentException("-1 is unusable");
			}
			return FakeModel.echo(inputs);
		});
		var first = occupy(admission);
		var good = List.of(queue(admission, 2), queue(admission, 3));
		var bad = queue(admission, -1);
		var last = queue(admission, 5);
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		secondHalf.awaitArrivals(1);
		for (var caller : good) {
			assertThat(caller.answer()).hasSize(1);
		}
		secondHalf.open();
		assertRejected(Kind.INVALID_INPUT, bad::answer);
		assertThat(last.answer()).containsExactly(5);
		assertThat(this.runs).containsExactly(List.of(1f), List.of(2f, 3f, -1f, 5f), List.of(2f, 3f), List.of(-1f, 5f),
				List.of(-1f), List.of(5f));
	}

	@Test
	void countsTheCallsOfAFailedBatchOnceInThePrediction() throws Exception {
		var admission = batching(8, Duration.ZERO);
		var last = new Gate();
		this.model.behave((inputs) -> {
			this.gate.pass();
			if (floats(inputs).equals(List.of(9f))) {
				last.pass();
				return FakeModel.echo(inputs);
			}
			spin(Duration.ofMillis(30));
			if (floats(inputs).contains(-1f)) {
				throw new IllegalArgumentException("-1 is unusable");
			}
			return FakeModel.echo(inputs);
		});
		var first = occupy(admission);
		var batch = List.of(queue(admission, 2), queue(admission, 3), queue(admission, 5), queue(admission, -1));
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(batch.getFirst().answer()).containsExactly(2);
		assertRejected(Kind.INVALID_INPUT, batch.getLast()::answer);
		var next = call(admission, 9);
		last.awaitArrivals(1);
		// Five calls took six runs of 30 ms.
		assertThat(Duration.ofNanos(admission.predictedWaitNanos())).isGreaterThan(Duration.ofMillis(30));
		last.open();
		assertThat(next.answer()).containsExactly(9);
	}

	@Test
	void doesNotAskAClientThatHasItsAnswerWhenItsBatchFails() throws Exception {
		var admission = batching(8, Duration.ZERO);
		var inside = new Gate();
		var answered = new AtomicBoolean();
		var askedTooLate = new AtomicBoolean();
		this.model.behave((inputs) -> {
			if (floats(inputs).size() > 1) {
				inside.pass();
				throw new IllegalStateException("no batches");
			}
			if (floats(inputs).contains(1f)) {
				this.gate.pass();
			}
			return FakeModel.echo(inputs);
		});
		var first = occupy(admission);
		var hasty = queue(() -> infer(admission, FakeModel.question(2), Duration.ofMillis(200), () -> {
			askedTooLate.compareAndSet(false, answered.get());
			return false;
		}));
		var patient = queue(admission, 3);
		this.gate.open();
		inside.awaitArrivals(1);
		assertRejected(Kind.DEADLINE_EXCEEDED, hasty::answer);
		answered.set(true);
		inside.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(patient.answer()).containsExactly(3);
		assertThat(askedTooLate).isFalse();
	}

	@Test
	void answersALateCallOfABatchAtItsDeadlineAndTheOthersNormally() throws Exception {
		var admission = batching(8, Duration.ZERO);
		var inside = new Gate();
		this.model.behave((inputs) -> {
			(floats(inputs).contains(1f) ? this.gate : inside).pass();
			return FakeModel.echo(inputs);
		});
		var first = occupy(admission);
		var patient = queue(admission, 2);
		var hasty = queue(() -> infer(admission, FakeModel.question(3), Duration.ofMillis(200)));
		this.gate.open();
		inside.awaitArrivals(1);
		assertRejected(Kind.DEADLINE_EXCEEDED, hasty::answer);
		inside.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(patient.answer()).containsExactly(2);
	}

	@Test
	void doesNotRunACallWhoseClientIsGone() throws Exception {
		var admission = batching(8, Duration.ZERO);
		var first = occupy(admission);
		var second = queue(admission, 2);
		var gone = queue(() -> infer(admission, FakeModel.question(3), LONG, () -> true));
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		assertThat(second.answer()).containsExactly(2);
		assertRejected(Kind.CLIENT_GONE, gone::answer);
		assertThat(this.runs).flatMap((run) -> run).containsExactly(1f, 2f);
	}

	@Test
	void cancelsARunWhenAllItsCallersHaveTimedOut() throws Exception {
		var admission = batching(8, Duration.ZERO);
		var ended = new CompletableFuture<Void>();
		this.model.behave((inputs) -> {
			if (floats(inputs).contains(1f)) {
				this.gate.pass();
				return FakeModel.echo(inputs);
			}
			try {
				Thread.sleep(LONG);
			}
			catch (InterruptedException ex) {
				ended.complete(null);
			}
			return FakeModel.echo(inputs);
		});
		var first = occupy(admission);
		var hasty = queue(() -> infer(admission, FakeModel.question(2), Duration.ofMillis(200)));
		var patient = queue(() -> infer(admission, FakeModel.question(3), Duration.ofSeconds(1)));
		this.gate.open();
		assertThat(first.answer()).containsExactly(1);
		assertRejected(Kind.DEADLINE_EXCEEDED, hasty::answer);
		assertThat(ended).isNotDone();
		assertRejected(Kind.DEADLINE_EXCEEDED, patient::answer);
		ended.get(5, TimeUnit.SECONDS);
		this.model.behave(FakeModel::echo);
		assertThat(call(admission, 4).answer()).containsExactly(4);
	}

	@Test
	void servesOtherCallsWhileTheModelIsSlowToEndARun() throws Exception {
		var admission = admission(2, 10);
		var cancelled = new Gate();
		this.model.cancelBy((_) -> cancelled.pass());
		var late = new Caller(() -> infer(admission, FakeModel.question(1), Duration.ofMillis(100)));
		this.gate.awaitArrivals(1);
		cancelled.awaitArrivals(1);
		this.model.behave(FakeModel::echo);
		assertThat(call(admission, 2).answer()).containsExactly(2);
		cancelled.open();
		assertRejected(Kind.DEADLINE_EXCEEDED, late::answer);
	}

	@Test
	void answersACallThatComesWhileTheServerClosesAtItsDeadline() {
		var admission = admission(1, 10);
		admission.close();
		assertRejected(Kind.DEADLINE_EXCEEDED, () -> infer(admission, FakeModel.question(1), Duration.ofMillis(100)));
	}

	@Test
	void beginsNoQueuedCallOnceTheServerCloses() throws Exception {
		var admission = admission(1, 1);
		occupy(admission);
		var queued = queue(() -> infer(admission, FakeModel.question(2), Duration.ofMillis(500)));
		admission.close();
		this.model.behave(FakeModel::echo);
		this.gate.open();
		assertRejected(Kind.DEADLINE_EXCEEDED, queued::answer);
	}

	@Test
	void runsAPartialBatchAfterTheMaximumDelay() throws Exception {
		this.gate.open();
		var admission = batching(3, SHORT);
		assertThat(call(admission, 1).answer()).containsExactly(1);
	}

	@ParameterizedTest
	@CsvSource({ "false, TOO_LARGE", "true, OVERLOADED" })
	void asksForATryLaterOnlyIfOtherCallsHoldTheMemory(boolean isTemporary, Kind kind) {
		var admission = admission(1, 0);
		this.model.behave((_) -> {
			throw new InsufficientMemoryException("the arena is full", new IOException(), isTemporary);
		});
		assertRejected(kind, () -> infer(admission, FakeModel.question(1)));
	}

	@Test
	void freesTheSlotOfACallThatFails() {
		var admission = admission(1, 0);
		this.model.behave((_) -> {
			throw new IllegalStateException("the model broke");
		});
		assertRejected(Kind.FAILED, () -> infer(admission, FakeModel.question(1)))
			.withMessageStartingWith("The model failed. ");
		this.model.behave((_) -> {
			throw new IllegalArgumentException("the input is unusable");
		});
		assertRejected(Kind.INVALID_INPUT, () -> infer(admission, FakeModel.question(1)))
			.withMessage("The model cannot use the input: the input is unusable.");
		this.model.behave((_) -> {
			throw new IllegalArgumentException("The text is too long.");
		});
		assertRejected(Kind.INVALID_INPUT, () -> infer(admission, FakeModel.question(1)))
			.withMessage("The model cannot use the input: The text is too long.");
		this.model.behave((_) -> {
			throw new IllegalArgumentException();
		});
		assertRejected(Kind.INVALID_INPUT, () -> infer(admission, FakeModel.question(1)))
			.withMessage("The model cannot use the input.");
		this.model.behave((_) -> {
			throw new StackOverflowError();
		});
		assertRejected(Kind.FAILED, () -> infer(admission, FakeModel.question(1)));
		this.model.behave((_) -> throwUnchecked(new IOException("the file is gone")));
		assertRejected(Kind.FAILED, () -> infer(admission, FakeModel.question(1)));
		this.model.behave(FakeModel::echo);
		assertThat(infer(admission, FakeModel.question(1))).containsOnlyKeys("y");
	}

	@Test
	void refusesEverythingWhileTheModelLoads() {
		var loading = Lifecycles.of(() -> this.model, (_) -> {
		});
		var admission = admission(loading, 1, 1);
		assertRefuses(() -> admission.admit(null), "the model is loading");
		assertRefuses(() -> infer(admission, FakeModel.question(1)), "the model is loading");
		assertRefuses(admission::metadata, "the model is loading");
	}

	@Test
	void refusesQueuedCallsWhenTheModelIsClosed() throws Exception {
		var admission = admission(1, 1);
		var inside = occupy(admission);
		var waiting = queue(admission, 2);
		this.lifecycle.stop();
		this.lifecycle.destroy();
		this.gate.open();
		assertThat(inside.answer()).containsExactly(1);
		assertRejected(Kind.NOT_READY, waiting::answer).withMessage("Not ready: the model is closed.");
		assertRefuses(() -> admission.admit(null), "the model is closed");
	}

	@Test
	void refusesACallThatIsInterruptedInTheQueue() throws Exception {
		var admission = admission(1, 1);
		occupy(admission);
		var waiting = queue(admission, 2);
		waiting.thread.interrupt();
		assertRejected(Kind.NOT_READY, waiting::answer);
		var next = queue(admission, 3);
		this.gate.open();
		assertThat(next.answer()).containsExactly(3);
	}

	@Test
	void runsOneCallPerProcessorByDefault() {
		int processors = Runtime.getRuntime().availableProcessors();
		assertThat(new AdmissionProperties(null, 0).maxConcurrentOrDefault(1))
			.isEqualTo((processors > 1) ? processors + 1 : 1);
		assertThat(new AdmissionProperties(null, 0).maxConcurrentOrDefault(processors)).isOne();
		assertThat(new AdmissionProperties(null, 0).maxConcurrentOrDefault(processors + 1)).isOne();
		assertThat(new AdmissionProperties(7, 0).maxConcurrentOrDefault(processors)).isEqualTo(7);
	}

	private Admission admission(int maxConcurrent, int maxQueued) {
		return admission(this.lifecycle, maxConcurrent, maxQueued);
	}

	private static Admission admission(ModelLifecycle lifecycle, int maxConcurrent, int maxQueued) {
		var meters = new SimpleMeterRegistry();
		return Admissions.of(lifecycle, new AdmissionProperties(maxConcurrent, maxQueued),
				Admissions.batching(1, Duration.ZERO, meters), meters);
	}

	private Admission batching(int maxSize, Duration maxDelay) {
		return batching(this.lifecycle, new AdmissionProperties(1, 10), maxSize, maxDelay);
	}

	private static Admission batching(ModelLifecycle lifecycle, AdmissionProperties properties, int maxSize,
			Duration maxDelay) {
		var meters = new SimpleMeterRegistry();
		var batching = Admissions.batching(maxSize, maxDelay, meters);
		batching.beforeTimedRuns(Objects.requireNonNull(lifecycle.metadata()), FakeModel::echo);
		return Admissions.of(lifecycle, properties, batching, meters);
	}

	private static Map<String, Tensor> table(int columns, float value) {
		float[] values = new float[columns];
		Arrays.fill(values, value);
		return Map.of("x", Tensor.ofFloats(Shape.of(1, columns), values));
	}

	private void holdUpCalls(FakeModel held, Gate where) {
		held.behave((inputs) -> {
			this.runs.add(floats(inputs));
			where.pass();
			return FakeModel.echo(inputs);
		});
	}

	/** Lets a call into the model, where it is held up. */
	private Caller occupy(Admission admission) {
		var inside = call(admission, 1);
		this.gate.awaitArrivals(1);
		return inside;
	}

	private static Caller call(Admission admission, float question) {
		return new Caller(() -> infer(admission, FakeModel.question(question)));
	}

	private static List<Float> floats(Map<String, Tensor> inputs) {
		float[] values = Objects.requireNonNull(inputs.get("x")).floats();
		return IntStream.range(0, values.length).mapToObj((i) -> values[i]).toList();
	}

	private static Caller queue(Admission admission, float question) {
		return queue(() -> infer(admission, FakeModel.question(question)));
	}

	private static Caller queue(Callable<Map<String, Tensor>> call) {
		var caller = new Caller(call);
		await().pollDelay(Duration.ZERO)
			.pollInterval(Duration.ofMillis(1))
			.until(caller.thread::getState, Thread.State.WAITING::equals);
		return caller;
	}

	private static void assertRefuses(Runnable question, String reason) {
		assertRejected(Kind.NOT_READY, question::run)
			.satisfies((rejection) -> assertThat(rejection.getStackTrace()).isEmpty())
			.withMessage("Not ready: " + reason + ".");
	}

	// Throws a checked exception as a model in Kotlin can.
	@SuppressWarnings("unchecked")
	private static <E extends Throwable> Map<String, Tensor> throwUnchecked(Throwable failure) throws E {
		throw (E) failure;
	}

	private static void spin(Duration time) {
		long end = System.nanoTime() + time.toNanos();
		while (System.nanoTime() < end) {
			Thread.onSpinWait();
		}
	}

	private static final class Caller {

		private final FutureTask<Map<String, Tensor>> call;

		private final Thread thread;

		Caller(Callable<Map<String, Tensor>> call) {
			this.call = new FutureTask<>(call);
			this.thread = Thread.ofPlatform().daemon().start(this.call);
		}

		float[] answer() throws Exception {
			try {
				return Objects.requireNonNull(this.call.get(10, TimeUnit.SECONDS).get("y")).floats();
			}
			catch (ExecutionException ex) {
				throw (ex.getCause() instanceof Rejection rejection) ? rejection : ex;
			}
		}

	}

}
