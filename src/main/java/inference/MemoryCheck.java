package inference;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;

import com.sun.management.OperatingSystemMXBean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.stereotype.Component;

import inference.lifecycle.Snapshot;
import inference.lifecycle.State;

/**
 * Warns when the server becomes ready if the memory limit is too low for the model. The
 * memory that the process has taken by then is measured; the rest of the heap and a
 * reserve for compiled code and for the model's calls are added.
 */
@Component
final class MemoryCheck implements ApplicationListener<PayloadApplicationEvent<Snapshot>> {

	private static final Logger logger = LoggerFactory.getLogger(MemoryCheck.class);

	private static final Path STATUS = Path.of("/proc/self/status");

	private static final String ANONYMOUS = "RssAnon:";

	private static final long RESERVE = 64L << 20;

	@Override
	public void onApplicationEvent(PayloadApplicationEvent<Snapshot> event) {
		if (event.getPayload().state() == State.READY && Files.exists(STATUS)) {
			long limit = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
			MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
			warn(limit, taken() + heap.getMax() - heap.getCommitted() + RESERVE);
		}
	}

	static void warn(long limit, long needed) {
		if (needed > limit) {
			logger.warn(
					"The memory limit of {} MB may be too low for this model: under load the process may take {} MB,"
							+ " and would then be killed. Raise the limit to that, or make the heap smaller with -Xmx",
					limit >> 20, needed >> 20);
		}
	}

	private static long taken() {
		try (var lines = Files.lines(STATUS)) {
			return lines.filter((line) -> line.startsWith(ANONYMOUS))
				.mapToLong((line) -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
				.findFirst()
				.orElse(0);
		}
		catch (IOException ex) {
			// Without the figure there is nothing to warn about.
			return 0;
		}
	}

}
