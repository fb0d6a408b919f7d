package inference.admission;

import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.ConfigurableApplicationContext;

import inference.admission.AdmissionProperties.Limits;

/**
 * Gives the virtual threads that serve requests more carriers than the model can take. A
 * native call keeps its carrier until it returns; with as many carriers as CPUs, as many
 * calls would hold up every other request, the probes first of all.
 */
class CarrierThreads implements ApplicationContextInitializer<ConfigurableApplicationContext> {

	static final String PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

	@Override
	public void initialize(ConfigurableApplicationContext context) {
		if (System.getProperty(PARALLELISM) == null) {
			Integer configured = context.getEnvironment()
				.getProperty("inference.admission.max-concurrent", Integer.class);
			System.setProperty(PARALLELISM, String.valueOf(count(new Limits(configured, 0))));
		}
	}

	static int count(Limits limits) {
		// With one CPU for a call there are the most
		return Math.max(limits.maxConcurrent(1), 1) + Runtime.getRuntime().availableProcessors();
	}

}
