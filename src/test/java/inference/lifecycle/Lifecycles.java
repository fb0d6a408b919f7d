package inference.lifecycle;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.support.GenericApplicationContext;

import inference.model.Model;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;

/**
 * Lifecycles without Spring around them.
 */
public final class Lifecycles {

	static final Duration STUCK_AFTER = Duration.ofSeconds(60);

	private Lifecycles() {
	}

	/**
	 * A lifecycle that is not yet started.
	 */
	public static ModelLifecycle of(Supplier<Model> constructor, ApplicationEventPublisher events) {
		return of(constructor, events, Duration.ZERO, System::nanoTime);
	}

	static ModelLifecycle of(Supplier<Model> constructor, ApplicationEventPublisher events, Duration drainDelay,
			LongSupplier nanoTime) {
		ModelLoader loader = new ModelLoader(new ObjectProvider<>() {
			@Override
			public Model getObject() {
				return constructor.get();
			}
		}, new ObjectProvider<>() {
			@Override
			public Stream<WarmUpListener> orderedStream() {
				return Stream.empty();
			}
		}, new ModelProperties("fake", "1", "nowhere", 1, "cpu", List.of(), List.of()),
				new GenericApplicationContext());
		return new ModelLifecycle(loader, new DrainProperties(drainDelay),
				new Watchdog(new WatchdogProperties(STUCK_AFTER), nanoTime), events);
	}

	/**
	 * A lifecycle that serves the model.
	 */
	public static ModelLifecycle ready(Model model) {
		CountDownLatch ready = new CountDownLatch(1);
		ModelLifecycle lifecycle = of(() -> model, (event) -> {
			if (((Snapshot) event).state() == State.READY) {
				ready.countDown();
			}
		});
		lifecycle.start();
		try {
			if (!ready.await(10, TimeUnit.SECONDS)) {
				throw new AssertionError("the model is not ready: " + lifecycle.snapshot());
			}
		}
		catch (InterruptedException ex) {
			throw new AssertionError(ex);
		}
		return lifecycle;
	}

	/**
	 * Makes a lifecycle serve another model, between two requests.
	 */
	public static void swap(ModelLifecycle lifecycle, Model next) {
		lifecycle.setModel(next, ModelMetadata.of(next));
	}

	/**
	 * Ends the delay for which a lifecycle drains, as a second signal does.
	 */
	public static void endDrainDelay(ModelLifecycle lifecycle) {
		lifecycle.endDrainDelay();
	}

}
