package inference;

import java.lang.management.ManagementFactory;
import java.util.Map;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.binder.MeterBinder;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.actuate.info.Info;
import org.springframework.boot.actuate.info.InfoContributor;
import org.springframework.stereotype.Component;

/**
 * Says whether the JVM uses the AOT cache that it was given. One that it refuses costs
 * time at the start and nothing else, so that nobody would notice.
 */
@Component
class AotCache implements InfoContributor, MeterBinder {

	private static final Logger logger = LoggerFactory.getLogger(AotCache.class);

	private static final String OPTION = "-XX:AOTCache=";

	private final boolean used;

	AotCache() {
		String file = file();
		// The JVM, given a cache, shares classes from it or, as this says then, from none
		this.used = file != null && System.getProperty("java.vm.info", "").contains("sharing");
		if (file != null && !this.used) {
			logger.warn(
					"The JVM refused the AOT cache {}, so it starts slower; the option -Xlog:aot:file=/tmp/aot.log says why",
					file);
		}
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

	private static @Nullable String file() {
		return ManagementFactory.getRuntimeMXBean()
			.getInputArguments()
			.stream()
			.filter((argument) -> argument.startsWith(OPTION))
			.map((argument) -> argument.substring(OPTION.length()))
			.reduce((_, last) -> last)
			.orElse(null);
	}

}
