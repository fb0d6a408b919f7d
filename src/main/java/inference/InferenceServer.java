package inference;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

import inference.lifecycle.ProcessExit;

/**
 * The inference server's entry point.
 */
@SpringBootApplication(proxyBeanMethods = false)
@ConfigurationPropertiesScan
public class InferenceServer {

	public static void main(String[] args) {
		ProcessExit exit = new ProcessExit();
		exit.onSignals();
		SpringApplication application = new SpringApplication(InferenceServer.class);
		application.setRegisterShutdownHook(false);
		application.addInitializers(exit);
		application.run(args);
	}

}
