package inference.lifecycle;

import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

import inference.model.DeviceLostException;
import inference.model.Model;
import inference.model.ModelMetadata;
import inference.model.Tensor;

/**
 * Loads, runs and frees the model. After the port is open, a separate thread loads the
 * model and warms it up. Before the port closes, the drain delay passes. The model is
 * freed after the web server has finished the last request.
 * <p>
 * Each change of state is published as an application event whose payload is the new
 * {@link Snapshot}. Only the change by {@link #closeIfStarting} is not published.
 */
@Component
public final class ModelLifecycle implements SmartLifecycle, DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(ModelLifecycle.class);

	private final ModelLoader loader;

	private final DrainProperties drainProperties;

	private final Watchdog watchdog;

	private final ApplicationEventPublisher eventPublisher;

	private final CountDownLatch drainDelayEnded = new CountDownLatch(1);

	private final AtomicReference<Snapshot> snapshot = new AtomicReference<>(
			new Snapshot(State.LOADING, "the model is loading"));

	private final Thread watchdogThread;

	private final AtomicBoolean isDeviceLost = new AtomicBoolean();

	private volatile @Nullable Model model;

	/** The metadata are kept, because a model may compute them each time it is asked. */
	private volatile @Nullable ModelMetadata metadata;

	ModelLifecycle(ModelLoader loader, DrainProperties drainProperties, Watchdog watchdog,
			ApplicationEventPublisher eventPublisher) {
		this.loader = loader;
		this.drainProperties = drainProperties;
		this.watchdog = watchdog;
		this.eventPublisher = eventPublisher;
		this.watchdogThread = watchdog.createThread(this::updateStuckState);
	}

	/** The current state with its reason, by one volatile read. */
	public Snapshot snapshot() {
		return this.snapshot.get();
	}

	/** The model's metadata; {@code null} until the model is constructed. */
	public @Nullable ModelMetadata metadata() {
		return this.metadata;
	}

	/**
	 * Runs the model on the calling thread.
	 * @param inputs the inputs, which the caller has checked against the signature
	 * @param rejectionFactory makes the exception to throw if the state does not allow
	 * the call; its argument is the reason
	 * @return the model's outputs, checked against the signature
	 * @throws IllegalArgumentException if the model cannot use the inputs
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs, Function<String, RuntimeException> rejectionFactory) {
		// This method adds its call and then reads the state. destroy() changes the state
		// and then counts the calls. So either this method sees the closed state and
		// throws, or destroy() sees the call and does not free the model.
		this.watchdog.beginCall();
		try {
			Snapshot snapshot = this.snapshot.get();
			if (!snapshot.state().serves()) {
				throw rejectionFactory.apply(snapshot.reason());
			}
			Map<String, Tensor> outputs = Objects.requireNonNull(this.model).infer(inputs);
			Objects.requireNonNull(this.metadata).signature().requireOutputs(outputs);
			return outputs;
		}
		catch (DeviceLostException ex) {
			if (!this.isDeviceLost.getAndSet(true)) {
				become(State.STUCK, "the device is lost: %s".formatted(ex.getMessage()), ex);
			}
			throw ex;
		}
		finally {
			this.watchdog.endCall();
		}
	}

	/** Asks the model to end the call of a thread, see {@link Model#cancel}. */
	public void cancel(Thread caller) {
		Objects.requireNonNull(this.model).cancel(caller);
	}

	/**
	 * The number of calls inside the model; loading and warm-up are one call. While a
	 * call runs, the process may end only by {@link Runtime#halt}, because other exits
	 * free native memory that the calls use.
	 */
	int runningCalls() {
		return this.watchdog.runningCalls();
	}

	/**
	 * Keeps a model that is loading or warming up from becoming ready.
	 * @return whether the model was loading or warming up
	 */
	boolean closeIfStarting() {
		Snapshot closed = new Snapshot(State.CLOSED, "the process was asked to end");
		Snapshot previous = this.snapshot.getAndUpdate((current) -> current.state().isStarting() ? closed : current);
		return previous.state().isStarting();
	}

	@Override
	public void start() {
		this.watchdogThread.start();
		Thread.ofPlatform().name("model-loader").start(this::load);
	}

	@Override
	public void stop() {
		boolean wasServing = this.snapshot.get().state().serves();
		become(State.DRAINING, "the process was asked to end");
		try {
			if (wasServing
					&& this.drainDelayEnded.await(this.drainProperties.delay().toNanos(), TimeUnit.NANOSECONDS)) {
				logger.info("Drain ended early");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** Ends the drain delay, even before it begins. */
	void endDrainDelay() {
		this.drainDelayEnded.countDown();
	}

	@Override
	public boolean isRunning() {
		return this.watchdogThread.getState() != Thread.State.NEW && this.snapshot.get().state() != State.CLOSED;
	}

	@Override
	public void destroy() {
		become(State.CLOSED, "the model is closed");
		this.watchdogThread.interrupt();
		Model model = this.model;
		int runningCalls = runningCalls();
		if (runningCalls > 0) {
			logger.warn("The model is not freed, because {} calls are inside it", runningCalls);
		}
		else if (model != null) {
			model.close();
		}
	}

	void become(State next, String reason) {
		become(next, reason, null);
	}

	/** Changes the state if the current state allows the next one. */
	void become(State next, String reason, @Nullable Throwable cause) {
		Snapshot newSnapshot = new Snapshot(next, reason);
		Snapshot previous = this.snapshot
			.getAndUpdate((current) -> current.state().canBecome(next) ? newSnapshot : current);
		if (previous.state().canBecome(next)) {
			logger.atLevel((next == State.STUCK) ? Level.ERROR : Level.INFO)
				.setCause(cause)
				.log("{}: {}", next, reason);
			this.eventPublisher.publishEvent(newSnapshot);
		}
	}

	/** Sets the model that later calls run. */
	void setModel(Model model, ModelMetadata metadata) {
		this.model = model;
		this.metadata = metadata;
	}

	/** Changes the state if the model has become stuck, or is not stuck any more. */
	void updateStuckState() {
		Thread stuckThread = this.watchdog.findStuckThread();
		State state = this.snapshot.get().state();
		if (stuckThread == null && state == State.STUCK && !this.isDeviceLost.get()) {
			become(State.READY, "calls return from the model again");
		}
		else if (stuckThread != null && state == State.READY) {
			Throwable cause = new IllegalStateException(
					"The thread %s is in this method".formatted(stuckThread.getName()));
			cause.setStackTrace(stuckThread.getStackTrace());
			become(State.STUCK,
					"a call has not returned from the model for %d s, and no other call has returned in that time"
						.formatted(this.watchdog.stuckAfter().toSeconds()),
					cause);
		}
	}

	private void load() {
		// Loading counts as a call, so that destroy() does not free the model meanwhile.
		this.watchdog.beginCall();
		State next = State.READY;
		String reason = "the model serves";
		try {
			this.loader.loadAndWarmUp((model, metadata) -> {
				setModel(model, metadata);
				become(State.WARMING, "the model is warming up");
			});
		}
		catch (Throwable ex) {
			if (!this.snapshot.get().state().isStarting()) {
				return; // The application was closed, so the failure does not matter.
			}
			// An Error, such as a missing native library, must end the process, too.
			next = State.FAILED;
			reason = this.loader.reportAndExplain(ex);
		}
		finally {
			this.watchdog.endCall();
		}
		become(next, reason);
	}

}
