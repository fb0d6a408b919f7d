package inference.lifecycle;

import java.util.concurrent.atomic.AtomicBoolean;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;
import sun.misc.Signal;

import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.PayloadApplicationEvent;

/**
 * Ends the process, in the one order that neither loses a request nor crashes: first the
 * application (drain, last answers, model freed), then the JVM.
 * <p>
 * Spring's own shutdown hook cannot: the JVM runs all hooks at once, and ONNX Runtime's
 * frees its environment under the calls that are still running. A second signal ends the
 * drain's delay.
 */
public final class ProcessExit implements ApplicationContextInitializer<ConfigurableApplicationContext> {

	private static final Logger logger = LoggerFactory.getLogger(ProcessExit.class);

	private static final int SIGNALLED = 128;

	private final AtomicBoolean ending = new AtomicBoolean();

	private volatile @Nullable ConfigurableApplicationContext context;

	private volatile @Nullable ModelLifecycle lifecycle;

	/**
	 * Takes over SIGTERM, SIGINT and SIGHUP. To be called once, before the application
	 * starts.
	 */
	public void onSignals() {
		for (String name : new String[] { "TERM", "INT", "HUP" }) {
			Signal.handle(new Signal(name),
					(signal) -> exit(SIGNALLED + signal.getNumber(), "Ended by SIG%s".formatted(signal.getName())));
		}
	}

	@Override
	public void initialize(ConfigurableApplicationContext context) {
		this.context = context;
		ApplicationListener<PayloadApplicationEvent<Snapshot>> onFailure = ApplicationListener
			.forPayload((snapshot) -> {
				if (snapshot.state() == State.FAILED) {
					exit(1, snapshot.reason());
				}
			});
		context.addApplicationListener(onFailure);
	}

	// On a thread of its own that is no daemon: the JVM ends by itself, with the wrong
	// code, once the web server's threads are gone and only daemons are left.
	private void exit(int code, String reason) {
		ModelLifecycle draining = this.lifecycle;
		if (this.ending.getAndSet(true)) {
			if (draining != null) {
				draining.hurry();
			}
			return;
		}
		Thread.ofPlatform().name("process-exit").daemon(false).start(() -> end(code, reason));
	}

	@SuppressWarnings("SystemExitOutsideMain")
	private void end(int code, String reason) {
		ConfigurableApplicationContext open = this.context;
		if (open == null) {
			System.exit(code);
			return;
		}
		// Looked up, not created, should the application be no further than that.
		ModelLifecycle draining = (ModelLifecycle) open.getBeanFactory().getSingleton("modelLifecycle");
		this.lifecycle = draining;
		open.close();
		logger.atLevel((code < SIGNALLED) ? Level.ERROR : Level.INFO).log(reason);
		if (draining != null && draining.calls().size() > 0) {
			Runtime.getRuntime().halt(code);
		}
		System.exit(code);
	}

}
