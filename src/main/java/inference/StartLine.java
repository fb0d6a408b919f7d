package inference;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;

import com.sun.management.OperatingSystemMXBean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.stereotype.Component;

import inference.lifecycle.Snapshot;
import inference.lifecycle.State;

/**
 * Says in one line, once the model serves, what serves and with what: all that
 * {@code /actuator/info} knows, so that a log alone tells how the server was set up.
 */
@Component
final class StartLine implements ApplicationListener<PayloadApplicationEvent<Snapshot>> {

	private static final Logger logger = LoggerFactory.getLogger(StartLine.class);

	private static final int MEGABYTE = 1 << 20;

	private final ObjectProvider<InfoContributor> contributors;

	private final AtomicBoolean said = new AtomicBoolean();

	StartLine(ObjectProvider<InfoContributor> contributors) {
		this.contributors = contributors;
	}

	@Override
	public void onApplicationEvent(PayloadApplicationEvent<Snapshot> event) {
		if (event.getPayload().state() == State.READY && !this.said.getAndSet(true)) {
			Info.Builder info = new Info.Builder();
			this.contributors.orderedStream().forEach((contributor) -> contributor.contribute(info));
			logger.info("Serving {} with {} CPUs, {} MB of heap of {} MB of memory", info.build().getDetails(),
					Runtime.getRuntime().availableProcessors(), Runtime.getRuntime().maxMemory() / MEGABYTE,
					memory() / MEGABYTE);
		}
	}

	// The container's limit where it has one, else the machine's memory.
	private static long memory() {
		return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
	}

}
