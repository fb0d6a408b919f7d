package inference.lifecycle;

import java.util.concurrent.atomic.AtomicBoolean;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.EventArgUtil;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import sun.misc.Signal;

import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.NestedExceptionUtils;

/**
 * Ends the process: on a signal, if the model cannot be loaded, and on an
 * {@link OutOfMemoryError}.
 * <p>
 * On a signal, the application drains, sends the last answers and frees the model. Then
 * the JVM ends. Spring's own shutdown hook could crash the process, because the JVM runs
 * all hooks in parallel, and ONNX Runtime's hook frees memory that running calls use. A
 * second signal ends the drain delay. If the model is still loading or warming up at the
 * first signal, the JVM ends immediately.
 * <p>
 * An {@link OutOfMemoryError} may end a thread that no probe checks. So the process ends
 * as soon as such an error is logged or ends a thread. The JVM's option
 * {@code ExitOnOutOfMemoryError} is similar, but does not write to the log.
 */
public final class ProcessExit extends TurboFilter {

	private static final Logger logger = LoggerFactory.getLogger(ProcessExit.class);

	private static final int FAILED_EXIT_CODE = 1;

	private static final int OUT_OF_MEMORY_EXIT_CODE = 3;

	private static final int SIGNAL_EXIT_CODE_BASE = 128;

	private final AtomicBoolean isEnding = new AtomicBoolean();

	private final AtomicBoolean isOutOfMemory = new AtomicBoolean();

	private final ConfigurableApplicationContext applicationContext;

	public ProcessExit(ConfigurableApplicationContext applicationContext) {
		this.applicationContext = applicationContext;
	}

	/** Installs the handlers. Call it once, before the application context starts. */
	public void installHandlers() {
		for (String signalName : new String[] { "TERM", "INT", "HUP" }) {
			installSignalHandler(signalName);
		}
		Thread.setDefaultUncaughtExceptionHandler((thread, failure) -> {
			try {
				logger.error("The thread {} failed", thread.getName(), failure);
			}
			finally {
				// decide() ends the process when this error is logged. But there may be
				// no memory even for the log.
				if (failure instanceof OutOfMemoryError) {
					Runtime.getRuntime().halt(OUT_OF_MEMORY_EXIT_CODE);
				}
			}
		});
		((LoggerContext) LoggerFactory.getILoggerFactory()).addTurboFilter(this);
		this.applicationContext.addApplicationListener(ApplicationListener.<Snapshot>forPayload((snapshot) -> {
			if (snapshot.state() == State.FAILED) {
				requestExit(FAILED_EXIT_CODE, snapshot.reason());
			}
		}));
	}

	void installSignalHandler(String signalName) {
		try {
			Signal.handle(new Signal(signalName), (signal) -> requestExit(SIGNAL_EXIT_CODE_BASE + signal.getNumber(),
					"Ended by SIG%s".formatted(signal.getName())));
		}
		catch (IllegalArgumentException ex) {
			// Windows has no SIGHUP, and the JVM's option -Xrs allows no signal handlers.
		}
	}

	@Override
	public FilterReply decide(@Nullable Marker marker, ch.qos.logback.classic.Logger source, Level level,
			@Nullable String format, Object @Nullable [] parameters, @Nullable Throwable failure) {
		// Logback extracts an exception from the parameters only after this filter.
		Throwable loggedFailure = (failure != null) ? failure : EventArgUtil.extractThrowable(parameters);
		if (loggedFailure != null
				&& NestedExceptionUtils.getMostSpecificCause(loggedFailure) instanceof OutOfMemoryError cause
				&& !this.isOutOfMemory.getAndSet(true)) {
			try {
				String message = String.valueOf(cause.getMessage());
				logger.error("The process ends, because it is out of memory: {}. {}", message, memoryRemedy(message));
			}
			finally {
				Runtime.getRuntime().halt(OUT_OF_MEMORY_EXIT_CODE);
			}
		}
		return FilterReply.NEUTRAL;
	}

	/** Tells what to do about an {@link OutOfMemoryError} with this message. */
	static String memoryRemedy(String message) {
		// The JDK calls it direct buffer memory, and Netty calls it direct memory.
		if (message.contains("direct buffer memory") || message.contains("direct memory")) {
			return "Set JAVA_TOOL_OPTIONS to a higher -XX:MaxDirectMemorySize, and raise the memory limit by as much";
		}
		if (message.contains("native thread")) {
			return "Allow the process more threads, or give it more memory";
		}
		return "Give it more memory, or send less at once";
	}

	// The new thread is not a daemon thread. If only daemon threads were left when the
	// web server has stopped, the JVM would end by itself, with exit code 0.
	private void requestExit(int exitCode, String reason) {
		if (!this.isEnding.getAndSet(true)) {
			Thread.ofPlatform().name("process-exit").daemon(false).start(() -> closeAndExit(exitCode, reason));
			return;
		}
		ModelLifecycle lifecycle = lifecycle();
		if (lifecycle != null) {
			lifecycle.endDrainDelay();
		}
	}

	// The bean is looked up but never created here, because the application may still be
	// starting.
	private @Nullable ModelLifecycle lifecycle() {
		return (ModelLifecycle) this.applicationContext.getBeanFactory().getSingleton("modelLifecycle");
	}

	@SuppressWarnings("SystemExitOutsideMain")
	private void closeAndExit(int exitCode, String reason) {
		ModelLifecycle lifecycle = lifecycle();
		if (lifecycle == null || lifecycle.closeIfStarting()) {
			// No request has been served, so there is nothing to drain. close() would
			// wait for the model's constructor, which may never return.
			logger.info("{} before the model was ready", reason);
			Runtime.getRuntime().halt(exitCode);
		}
		try {
			this.applicationContext.close();
			((exitCode == FAILED_EXIT_CODE) ? logger.atError() : logger.atInfo()).log(reason);
		}
		catch (RuntimeException | Error ex) {
			logger.error("The server could not be closed", ex);
		}
		finally {
			if (lifecycle != null && lifecycle.runningCalls() > 0) {
				Runtime.getRuntime().halt(exitCode);
			}
			System.exit(exitCode);
		}
	}

}
