package inference.lifecycle;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.stereotype.Component;

import inference.lifecycle.RunningCalls.RunningCall;

/**
 * Looks at the calls inside the model once in a while, and notices when the model is
 * stuck and when it works again.
 */
@Component
final class Watchdog implements InitializingBean, DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(Watchdog.class);

	private static final Duration MAX_PERIOD = Duration.ofSeconds(1);

	private static final int LOOKS_PER_LIMIT = 10;

	private final ModelLifecycle lifecycle;

	private final Duration stuckAfter;

	private final Thread thread = Thread.ofPlatform().name("watchdog").daemon().unstarted(this::watch);

	Watchdog(ModelLifecycle lifecycle, WatchdogProperties properties) {
		this.lifecycle = lifecycle;
		this.stuckAfter = properties.stuckAfter();
	}

	@Override
	public void afterPropertiesSet() {
		this.thread.start();
	}

	@Override
	public void destroy() {
		this.thread.interrupt();
	}

	private void watch() {
		Duration period = this.stuckAfter.dividedBy(LOOKS_PER_LIMIT);
		try {
			while (true) {
				Thread.sleep((period.compareTo(MAX_PERIOD) < 0) ? period : MAX_PERIOD);
				look();
			}
		}
		catch (InterruptedException ex) {
			// The server is closed.
			Thread.currentThread().interrupt();
		}
	}

	/** Looks once. */
	void look() {
		RunningCall stuck = this.lifecycle.calls().findStuck(this.stuckAfter);
		if (stuck == null) {
			this.lifecycle.recover();
		}
		else if (this.lifecycle.snapshot().state() == State.READY) {
			logger.error("A call is stuck in the model:\n{}", dump(stuck.thread()));
			this.lifecycle.become(State.STUCK, "a call has not returned from the model for %d s, and no other has since"
				.formatted(this.stuckAfter.toSeconds()));
		}
	}

	private static String dump(Thread stuck) {
		String stack = Arrays.stream(stuck.getStackTrace())
			.map((frame) -> "\tat " + frame)
			.collect(Collectors.joining("\n", "\"%s\"\n".formatted(stuck.getName()), "\n\n"));
		return Arrays.stream(ManagementFactory.getThreadMXBean().dumpAllThreads(true, true))
			.map(ThreadInfo::toString)
			.collect(Collectors.joining("", stack, ""));
	}

}
