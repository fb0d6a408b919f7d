package inference.lifecycle;

import java.time.Clock;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.stereotype.Component;

import inference.model.Model;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;
import inference.model.UnusableModelException;

/**
 * The model's life. Starts after the port is open, loads and warms the model on a thread
 * of its own, runs calls while the state allows it, and frees the model once the web
 * server has finished the last request.
 * <p>
 * Every change of state is published as an application event whose payload is the new
 * {@link Snapshot}.
 */
@Component
public final class ModelLifecycle implements SmartLifecycle, DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(ModelLifecycle.class);

	private final ObjectProvider<Model> models;

	private final ModelProperties properties;

	private final ApplicationEventPublisher events;

	private final Clock clock = Clock.systemUTC();

	private final AtomicReference<Snapshot> snapshot = new AtomicReference<>(
			new Snapshot(State.LOADING, "the model is loading", this.clock.instant()));

	private final AtomicInteger running = new AtomicInteger();

	private volatile @Nullable Thread loader;

	private volatile @Nullable Model model;

	ModelLifecycle(ObjectProvider<Model> models, ModelProperties properties, ApplicationEventPublisher events) {
		this.models = models;
		this.properties = properties;
		this.events = events;
	}

	/**
	 * The state now, with its reason: one volatile read.
	 * @return the current snapshot
	 */
	public Snapshot snapshot() {
		return this.snapshot.get();
	}

	/**
	 * The model's signature.
	 * @return the signature, or {@code null} while the model is loading
	 */
	public @Nullable Signature signature() {
		Model loaded = this.model;
		return (loaded != null) ? loaded.signature() : null;
	}

	/**
	 * The model's format, as Open Inference Protocol metadata names it.
	 * @return the platform, or {@code null} while the model is loading
	 */
	public @Nullable String platform() {
		Model loaded = this.model;
		return (loaded != null) ? loaded.platform() : null;
	}

	/**
	 * Runs the model on the calling thread.
	 * @param inputs checked against the signature
	 * @return the model's outputs, checked against the signature
	 * @throws NotServingException if the state does not allow it
	 * @throws IllegalArgumentException if the model cannot use the input
	 */
	public Map<String, Tensor> infer(Map<String, Tensor> inputs) {
		// Counted before the state is read: destroy() changes the state before it reads
		// the count, so one of the two always sees the other.
		this.running.incrementAndGet();
		try {
			Snapshot now = this.snapshot.get();
			Model loaded = this.model;
			if (!now.state().serves() || loaded == null) {
				throw new NotServingException(now);
			}
			Map<String, Tensor> outputs = loaded.infer(inputs);
			loaded.signature().requireOutputs(outputs);
			return outputs;
		}
		finally {
			this.running.decrementAndGet();
		}
	}

	/**
	 * How many calls are inside the model, its construction and its warm-up included. A
	 * native call cannot be abandoned: while one runs, the process may only be halted.
	 * @return the number of calls
	 */
	int running() {
		return this.running.get();
	}

	@Override
	public void start() {
		Thread thread = Thread.ofPlatform().name("model-loader").unstarted(this::load);
		this.loader = thread;
		thread.start();
	}

	@Override
	public void stop() {
		become(State.DRAINING, "the process was asked to end");
	}

	@Override
	public boolean isRunning() {
		return this.loader != null && this.snapshot.get().state() != State.CLOSED;
	}

	@Override
	public void destroy() {
		become(State.CLOSED, "the model is closed");
		Model loaded = this.model;
		if (loaded == null) {
			return;
		}
		if (this.running.get() > 0) {
			logger.warn("{} calls are still inside the model, which is therefore not freed", this.running.get());
			return;
		}
		loaded.close();
	}

	private void load() {
		try {
			loadAndWarmUp();
			become(State.READY, "the model serves");
		}
		catch (Throwable ex) {
			// Errors too: a missing native library is one, and must end the process.
			become(State.FAILED, reason(ex));
		}
	}

	private void loadAndWarmUp() {
		// Counted like a call, for it must not be freed under its warm-up either.
		this.running.incrementAndGet();
		try {
			long start = System.nanoTime();
			Model loaded = this.models.getObject();
			this.model = loaded;
			long loadedAt = System.nanoTime();
			become(State.WARMING, "the model is warming up");
			int runs = WarmUp.run(loaded);
			logger.info("Model {} version {} loaded in {} ms, warmed by {} runs in {} ms: {}", this.properties.name(),
					this.properties.version(), (loadedAt - start) / 1_000_000, runs,
					(System.nanoTime() - loadedAt) / 1_000_000, loaded.signature());
		}
		finally {
			this.running.decrementAndGet();
		}
	}

	private void become(State next, String reason) {
		Snapshot after = new Snapshot(next, reason, this.clock.instant());
		Snapshot before = this.snapshot.getAndUpdate((current) -> current.state().canBecome(next) ? after : current);
		if (before.state().canBecome(next)) {
			logger.info("{}: {}", next, reason);
			this.events.publishEvent(after);
		}
	}

	private String reason(Throwable failure) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof UnusableModelException unusable && unusable.getMessage() != null) {
				return unusable.getMessage();
			}
		}
		logger.error("The model could not be loaded", failure);
		return "The model '%s' could not be loaded: %s".formatted(this.properties.name(),
				NestedExceptionUtils.getMostSpecificCause(failure));
	}

}
