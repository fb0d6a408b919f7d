package inference.lifecycle;

import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.InitializingBean;
import org.springframework.stereotype.Component;

import inference.lifecycle.Calls.Call;

/**
 * Looks at the calls inside the model, from a thread that does nothing else: tells those
 * that are late, and notices when the model is stuck and when it is not any more.
 */
@Component
final class Watchdog implements InitializingBean {

	private static final Logger logger = LoggerFactory.getLogger(Watchdog.class);

	private static final Duration PERIOD = Duration.ofMillis(10);

	private final ModelLifecycle lifecycle;

	private final Duration stuckAfter;

	Watchdog(ModelLifecycle lifecycle, LifecycleProperties properties) {
		this.lifecycle = lifecycle;
		this.stuckAfter = properties.watchdog().stuckAfter();
	}

	@Override
	public void afterPropertiesSet() {
		Thread.ofPlatform().name("watchdog").daemon().start(() -> {
			while (this.lifecycle.snapshot().state() != State.CLOSED) {
				look();
				LockSupport.parkNanos(PERIOD.toNanos());
			}
		});
	}

	/** One look. */
	void look() {
		// The answer goes out on a thread of its own, for it may block on the client.
		this.lifecycle.calls().findLate((call) -> Thread.startVirtualThread(call.late()), this.lifecycle::cancel);
		Call stuck = this.lifecycle.calls().findStuck(this.stuckAfter);
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
