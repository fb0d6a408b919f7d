package inference.lifecycle;

import java.lang.Thread.UncaughtExceptionHandler;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Ends the process when the Java heap is exhausted, wherever the error surfaces: in a
 * thread that nobody watches, or in the log. A process that goes on may lack a thread
 * without any probe noticing.
 * <p>
 * The JVM's option {@code ExitOnOutOfMemoryError} would do the same, but its last words
 * are not a line of the log.
 */
public final class HeapExhaustion extends TurboFilter implements UncaughtExceptionHandler {

	private static final int EXIT_CODE = 3;

	private static final Logger logger = (Logger) LoggerFactory.getLogger(HeapExhaustion.class);

	private volatile boolean ending;

	/** Watches the log and the threads, from the time when logging is set up. */
	public void watch() {
		Thread.setDefaultUncaughtExceptionHandler(this);
		if (LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
			context.addTurboFilter(this);
		}
	}

	@Override
	public void uncaughtException(Thread thread, Throwable failure) {
		logger.error("The thread {} failed", thread.getName(), failure);
	}

	@Override
	public FilterReply decide(@Nullable Marker marker, Logger source, Level level, @Nullable String format,
			Object @Nullable [] parameters, @Nullable Throwable failure) {
		if (failure instanceof OutOfMemoryError && !this.ending) {
			this.ending = true;
			end(failure);
		}
		return FilterReply.NEUTRAL;
	}

	private static void end(Throwable failure) {
		try {
			logger.error("The process ends, because it is out of memory: {}. Give it more memory, or send less at once",
					failure.getMessage());
		}
		finally {
			Runtime.getRuntime().halt(EXIT_CODE);
		}
	}

}
