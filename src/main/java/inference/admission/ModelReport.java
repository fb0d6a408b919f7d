package inference.admission;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryUsage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;

import com.sun.management.OperatingSystemMXBean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.boot.autoconfigure.context.LifecycleProperties;
import org.springframework.boot.convert.DurationStyle;
import org.springframework.context.event.EventListener;
import org.springframework.stereotype.Component;

import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.TensorSpec;

/**
 * Tells which model is served and with which resources: in {@code /actuator/info}, and in
 * the log when the server becomes ready. It warns if the start was slow because the JVM
 * refused the AOT cache, if the memory limit or the limit of a body is too low for the
 * model, and if the timeout of the shutdown is not longer than the deadline.
 */
@Component
final class ModelReport implements InfoContributor {

	private static final Logger logger = LoggerFactory.getLogger(ModelReport.class);

	private static final Path PROCESS_STATUS_FILE = Path.of("/proc/self/status");

	/** The native memory assumed for compiled code and for buffers, in bytes. */
	private static final long NATIVE_HEADROOM_BYTES = 64L << 20;

	// OnnxMemory gives the calls of a model at least 1/8 of the memory.
	private static final int CALL_MEMORY_DIVISOR = 8;

	private final ModelLifecycle lifecycle;

	private final ModelProperties modelProperties;

	private final AdmissionProperties admissionProperties;

	private final DeadlineProperties deadlineProperties;

	private final RequestProperties requestProperties;

	private final boolean isAotCacheUsed;

	private final AtomicBoolean isLogged = new AtomicBoolean();

	ModelReport(ModelLifecycle lifecycle, ModelProperties modelProperties, AdmissionProperties admissionProperties,
			DeadlineProperties deadlineProperties, RequestProperties requestProperties,
			LifecycleProperties lifecycleProperties, Statistics statistics) {
		this.lifecycle = lifecycle;
		this.modelProperties = modelProperties;
		this.admissionProperties = admissionProperties;
		this.deadlineProperties = deadlineProperties;
		this.requestProperties = requestProperties;
		warnIfShutdownIsShort(lifecycleProperties.getTimeoutPerShutdownPhase(), deadlineProperties.deadline());
		boolean isAotCacheGiven = ManagementFactory.getRuntimeMXBean()
			.getInputArguments()
			.stream()
			.anyMatch((argument) -> argument.startsWith("-XX:AOTCache="));
		// If the JVM refuses its AOT cache, java.vm.info does not contain "sharing".
		this.isAotCacheUsed = isAotCacheGiven && System.getProperty("java.vm.info", "").contains("sharing");
		if (isAotCacheGiven && !this.isAotCacheUsed) {
			logger.warn("The JVM refused the AOT cache, so the server starts more slowly."
					+ " The option -Xlog:aot:file=/tmp/aot.log writes the reason to that file");
		}
		statistics.registerGauge("inference.aot.cache.used", null, "1 if the JVM uses an AOT cache, else 0",
				() -> this.isAotCacheUsed ? 1 : 0);
	}

	@Override
	public void contribute(Info.Builder builder) {
		Map<String, Object> modelDetails = new LinkedHashMap<>();
		modelDetails.put("name", this.modelProperties.name());
		modelDetails.put("version", this.modelProperties.version());
		ModelMetadata metadata = this.lifecycle.metadata();
		if (metadata != null) {
			modelDetails.put("platform", metadata.platform());
			modelDetails.put("inputs", describe(metadata.signature().inputs()));
			modelDetails.put("outputs", describe(metadata.signature().outputs()));
		}
		modelDetails.put("threads", this.modelProperties.threads());
		Map<String, Object> limits = new LinkedHashMap<>();
		limits.put("maxConcurrent", this.admissionProperties.maxConcurrentOrDefault(this.modelProperties.threads()));
		limits.put("maxQueued", this.admissionProperties.maxQueued());
		limits.put("deadline", DurationStyle.SIMPLE.print(this.deadlineProperties.deadline(), ChronoUnit.MILLIS));
		builder.withDetail("model", modelDetails)
			.withDetail("limits", limits)
			.withDetail("aotCache", Map.of("used", this.isAotCacheUsed));
	}

	private static List<String> describe(List<TensorSpec> specs) {
		return specs.stream().map(TensorSpec::toString).toList();
	}

	@EventListener
	void onStateChange(Snapshot snapshot) {
		ModelMetadata metadata = this.lifecycle.metadata();
		if (snapshot.state() != State.READY || metadata == null || this.isLogged.getAndSet(true)) {
			return;
		}
		// getTotalMemorySize() returns the container's memory limit, or the machine's
		// memory if there is no limit.
		long memoryLimitBytes = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize();
		logger.info(
				"Serving model {} version {} ({}) with {} inputs and {} outputs on {} CPUs, a heap of {} MB and {} MB of"
						+ " memory, {} an AOT cache",
				this.modelProperties.name(), this.modelProperties.version(), metadata.platform(),
				metadata.signature().inputs().size(), metadata.signature().outputs().size(),
				Runtime.getRuntime().availableProcessors(), Runtime.getRuntime().maxMemory() >> 20,
				memoryLimitBytes >> 20, this.isAotCacheUsed ? "with" : "without");
		warnIfMemoryIsLow(memoryLimitBytes);
		warnIfNoRequestFits(metadata.signature(), this.requestProperties.maxSize().toBytes());
	}

	static void warnIfShutdownIsShort(Duration phaseTimeout, Duration deadline) {
		if (phaseTimeout.compareTo(deadline) <= 0) {
			logger.warn(
					"Requests may be cut when the server stops: spring.lifecycle.timeout-per-shutdown-phase ({} ms)"
							+ " must be longer than inference.deadline ({} ms)",
					phaseTimeout.toMillis(), deadline.toMillis());
		}
	}

	static void warnIfNoRequestFits(Signature signature, long maxBodyBytes) {
		double minBytes = signature.inputs().stream().mapToDouble((input) -> input.minBytes(1, 1)).sum();
		if (minBytes > maxBodyBytes) {
			logger
				.warn("A request for this model has at least {} bytes in binary, but a body may have at most {} bytes:"
						+ " raise inference.request.max-size", "%.0f".formatted(minBytes), maxBodyBytes);
		}
	}

	private static void warnIfMemoryIsLow(long memoryLimitBytes) {
		MemoryUsage heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage();
		long neededBytes = neededBytes(anonymousMemoryBytes(), heap.getMax() - heap.getCommitted(), memoryLimitBytes);
		if (neededBytes > memoryLimitBytes) {
			logger.warn(
					"The memory limit of {} MB may be too low for this model: under load the process may take {} MB,"
							+ " and would then be killed. Raise the limit, or make the heap smaller with -Xmx",
					memoryLimitBytes >> 20, neededBytes >> 20);
		}
	}

	static long neededBytes(long anonymousBytes, long heapGrowthBytes, long memoryLimitBytes) {
		return anonymousBytes + heapGrowthBytes + memoryLimitBytes / CALL_MEMORY_DIVISOR + NATIVE_HEADROOM_BYTES;
	}

	/** The process's resident memory without mapped files, in bytes; 0 if unknown. */
	private static long anonymousMemoryBytes() {
		try (var lines = Files.lines(PROCESS_STATUS_FILE)) {
			return lines.filter((line) -> line.startsWith("RssAnon:"))
				.mapToLong((line) -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
				.findFirst()
				.orElse(0);
		}
		catch (IOException ex) {
			// Only Linux has this file. Elsewhere the memory in use counts as 0.
			return 0;
		}
	}

}
