package inference;

import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

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
		Stream<String> settingNames = Stream
			.of(System.getenv().keySet(), System.getProperties().stringPropertyNames(), List.of(args))
			.flatMap(Collection::stream);
		if (settingNames.anyMatch(InferenceServer::mayChangeBeans)) {
			System.setProperty("spring.aot.enabled", "false");
		}
		SpringApplication application = new SpringApplication(InferenceServer.class);
		// ProcessExit closes the application in place of Spring's shutdown hook.
		application.setRegisterShutdownHook(false);
		application.addInitializers((context) -> new ProcessExit(context).installHandlers());
		application.run(args);
	}

	/**
	 * Returns whether a setting, such as {@code MANAGEMENT_SERVER_PORT}, may require
	 * other beans than the image was built with. If so, {@link #main} disables the bean
	 * code that Spring generated at build time, and the server starts more slowly. The
	 * settings below {@code spring.aot} and {@code spring.lifecycle} change no beans.
	 */
	static boolean mayChangeBeans(String settingName) {
		String name = settingName.replace("--", "").replace('_', '.').toLowerCase(Locale.ROOT);
		return name.startsWith("management.") || name.startsWith("inference.grpc.") || name.startsWith("server.forward")
				|| (name.startsWith("spring.") && !name.matches("spring\\.(aot|lifecycle)\\..*"));
	}

}
