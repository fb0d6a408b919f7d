package inference.lifecycle;

import java.time.Clock;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Component;

import inference.lifecycle.RunningCalls.RunningCall;
import inference.model.DeviceLostException;
import inference.model.Model;
import inference.model.ModelMetadata;
import inference.model.Tensor;

/**
 * The model's life. Starts after the port is open, loads and warms the model on a thread
 * of its own, runs calls while the state allows it, drains before the port closes, and
 * frees the model once the web server has finished the last request.
 * <p>
 * Every change of state is published as an application event whose payload is the new
 * {@link Snapshot}.
 */
@Component
public final class ModelLifecycle implements SmartLifecycle, DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(ModelLifecycle.class);

	private final ModelLoader loader;

	private final DrainProperties properties;

	private final ApplicationEventPublisher events;

	private final Clock clock = Clock.systemUTC();

	private final RunningCalls calls;

	private final CountDownLatch drained = new CountDownLatch(1);

	private final AtomicReference<Snapshot> snapshot = new AtomicReference<>(
			new Snapshot(State.LOADING, "the model is loading", this.clock.instant()));

	private volatile boolean started;

	private volatile boolean deviceLost;

	private volatile @Nullable Model model;

	// Asked for once for all requests: a model may make it anew each time.
	private volatile @Nullable ModelMetadata metadata;

	@Autowired
	ModelLifecycle(ModelLoader loader, DrainProperties properties, ApplicationEventPublisher events) {
		this(loader, properties, events, System::nanoTime);
	}

	ModelLifecycle(ModelLoader loader, DrainProperties properties, ApplicationEventPublisher events,
			LongSupplier nanoTime) {
		this.loader = loader;
		this.properties = properties;
		this.events = events;
		this.calls = new RunningCalls(nanoTime);
	}

	/**
	 * The state now, with its reason: one volatile read.
	 * @return the current snapshot
	 */
	public Snapshot snapshot() {
		return this.snapshot.get();
	}

	/**
	 * What the model says of itself.
	 * @return the metadata, or {@code null} while the model is loading
	 */
	public @Nullable ModelMetadata metadata() {
		return this.metadata;
	}

	/**
	 * Runs the model on the calling thread.
	 * @param inputs checked against the signature
	 * @return the model's outputs, checked against the signature
	 * @throws NotServingException if the state does not allow it
	 * @throws IllegalArgumentException if the model cannot use the inputs
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		// The call is added before the state is read, and destroy() changes the state
		// before it reads the number of calls: one of the two always sees the other.
		RunningCall call = this.calls.begin();
		try {
			Snapshot now = this.snapshot.get();
			Model loaded = this.model;
			ModelMetadata known = this.metadata;
			if (!now.state().serves() || loaded == null || known == null) {
				throw new NotServingException(now);
			}
			Map<String, Tensor> outputs = loaded.infer(inputs);
			known.signature().requireOutputs(outputs);
			return outputs;
		}
		catch (DeviceLostException ex) {
			this.deviceLost = true;
			become(State.STUCK, "the device is lost: %s".formatted(ex.getMessage()));
			throw ex;
		}
		finally {
			this.calls.end(call);
		}
	}

	/**
	 * Asks the model to end the call that a thread is in. The thread stays in the model
	 * until the call returns.
	 * @param caller the thread that called {@link #infer}
	 */
	public void cancel(Thread caller) {
		Model loaded = this.model;
		if (loaded != null) {
			loaded.cancel(caller);
		}
	}

	/** The calls inside the model. While one runs, the process may only be halted. */
	RunningCalls calls() {
		return this.calls;
	}

	@Override
	public void start() {
		this.started = true;
		Thread.ofPlatform().name("model-loader").start(this::load);
	}

	@Override
	public void stop() {
		boolean served = this.snapshot.get().state().serves();
		become(State.DRAINING, "the process was asked to end");
		try {
			if (served && this.drained.await(this.properties.delay().toNanos(), TimeUnit.NANOSECONDS)) {
				logger.info("Drain ended early");
			}
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	/** Ends the drain's delay, if it has begun or when it begins. */
	void hurry() {
		this.drained.countDown();
	}

	@Override
	public boolean isRunning() {
		return this.started && this.snapshot.get().state() != State.CLOSED;
	}

	@Override
	public void destroy() {
		become(State.CLOSED, "the model is closed");
		Model loaded = this.model;
		if (loaded != null && this.calls.size() == 0) {
			loaded.close();
		}
		else if (this.calls.size() > 0) {
			logger.warn("The model is not freed, calls are inside it: {}", this.calls.size());
		}
	}

	void become(State next, String reason) {
		Snapshot after = new Snapshot(next, reason, this.clock.instant());
		Snapshot before = this.snapshot.getAndUpdate((current) -> current.state().canBecome(next) ? after : current);
		if (before.state().canBecome(next)) {
			logger.info("{}: {}", next, reason);
			this.events.publishEvent(after);
		}
	}

	/** Takes a model for the one to be served, once the state allows it. */
	void serve(Model constructed) {
		this.model = constructed;
		this.metadata = ModelMetadata.of(constructed);
	}

	/** Undoes STUCK, unless it is for good. */
	void recover() {
		if (this.snapshot.get().state() == State.STUCK && !this.deviceLost) {
			become(State.READY, "calls return from the model again");
		}
	}

	private void load() {
		// It counts as a call, because the model must not be freed during its warm-up.
		RunningCall call = this.calls.begin();
		State next = State.READY;
		String reason = "the model serves";
		try {
			this.loader.load((constructed) -> {
				serve(constructed);
				become(State.WARMING, "the model is warming up");
			});
		}
		catch (Throwable ex) {
			// Errors too: a missing native library is one, and must end the process.
			next = State.FAILED;
			reason = this.loader.reason(ex);
		}
		finally {
			this.calls.end(call);
		}
		become(next, reason);
	}

}
