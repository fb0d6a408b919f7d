package inference;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

@SpringBootApplication
public class InferenceServer {

	public static void main(String[] args) {
		SpringApplication.run(InferenceServer.class, args);
	}

}
