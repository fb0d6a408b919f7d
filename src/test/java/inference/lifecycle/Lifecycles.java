package inference.lifecycle;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEventPublisher;

import inference.model.Model;
import inference.model.ModelProperties;

/**
 * Lifecycles without Spring around them.
 */
public final class Lifecycles {

	private Lifecycles() {
	}

	/**
	 * A lifecycle that is not yet started.
	 */
	public static ModelLifecycle of(Supplier<Model> constructor, ApplicationEventPublisher events) {
		return new ModelLifecycle(new ObjectProvider<>() {
			@Override
			public Model getObject() {
				return constructor.get();
			}
		}, new ModelProperties("fake", "1", "nowhere", 1), events);
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

}
