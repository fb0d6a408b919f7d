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

	private static final String PARALLELISM = "jdk.virtualThreadScheduler.parallelism";

	@Override
	public void initialize(ConfigurableApplicationContext context) {
		if (System.getProperty(PARALLELISM) == null) {
			Integer configured = context.getEnvironment()
				.getProperty("inference.admission.max-concurrent", Integer.class);
			// With one CPU for a call there are the most
			int calls = Math.max(new Limits(configured, 0).maxConcurrent(1), 1);
			System.setProperty(PARALLELISM, String.valueOf(calls + Runtime.getRuntime().availableProcessors()));
		}
	}

}
