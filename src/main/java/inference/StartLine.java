package inference;

import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicBoolean;

import com.sun.management.OperatingSystemMXBean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.stereotype.Component;

import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;

/**
 * Logs one line when the server becomes ready: the model that it serves, and the
 * resources that it has.
 */
@Component
final class StartLine implements ApplicationListener<PayloadApplicationEvent<Snapshot>> {

	private static final Logger logger = LoggerFactory.getLogger(StartLine.class);

	private static final int MEGABYTE = 1 << 20;

	private final ModelProperties model;

	private final ModelLifecycle lifecycle;

	private final AotCache cache;

	private final AtomicBoolean logged = new AtomicBoolean();

	StartLine(ModelProperties model, ModelLifecycle lifecycle, AotCache cache) {
		this.model = model;
		this.lifecycle = lifecycle;
		this.cache = cache;
	}

	@Override
	public void onApplicationEvent(PayloadApplicationEvent<Snapshot> event) {
		ModelMetadata metadata = this.lifecycle.metadata();
		if (event.getPayload().state() == State.READY && metadata != null && !this.logged.getAndSet(true)) {
			logger.info(
					"Serving model {} version {} with {} inputs and {} outputs on {} CPUs, a heap of {} MB and {} MB of"
							+ " memory, {} an AOT cache",
					this.model.name(), this.model.version(), metadata.signature().inputs().size(),
					metadata.signature().outputs().size(), Runtime.getRuntime().availableProcessors(),
					Runtime.getRuntime().maxMemory() / MEGABYTE, memory() / MEGABYTE,
					this.cache.used() ? "with" : "without");
		}
	}

	/** The memory limit of the container, or else the machine's memory, in bytes. */
	private static long memory() {
		return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
	}

}
