package inference;

import java.lang.management.ManagementFactory;
import java.util.Map;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.stereotype.Component;

/**
 * Tells whether the JVM uses the AOT cache that it was given. If it refuses the cache,
 * the server starts more slowly, and nothing else shows it.
 */
@Component
class AotCache implements InfoContributor, MeterBinder {

	private static final Logger logger = LoggerFactory.getLogger(AotCache.class);

	private final boolean used;

	AotCache() {
		boolean given = ManagementFactory.getRuntimeMXBean()
			.getInputArguments()
			.stream()
			.anyMatch((argument) -> argument.startsWith("-XX:AOTCache="));
		// With a cache that it refuses, the JVM shares no classes at all.
		this.used = given && System.getProperty("java.vm.info", "").contains("sharing");
		if (given && !this.used) {
			logger.warn("The JVM refused the AOT cache, so the server starts more slowly."
					+ " The option -Xlog:aot:file=/tmp/aot.log writes the reason to that file");
		}
	}

	boolean used() {
		return this.used;
	}

	@Override
	public void contribute(Info.Builder builder) {
		builder.withDetail("aotCache", Map.of("used", this.used));
	}

	@Override
	public void bindTo(MeterRegistry registry) {
		Gauge.builder("inference.aot.cache.used", () -> this.used ? 1 : 0)
			.description("1 if the JVM uses an AOT cache, else 0")
			.register(registry);
	}

}
