package inference;

import java.io.IOException;
import java.net.ServerSocket;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * What the server says when it cannot start as it is configured.
 */
@ExtendWith(OutputCaptureExtension.class)
class StartFailureTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|', textBlock = """
			server.port=8080                         | EAS reserves the ports 8080 and 9090 for itself
			server.port=9090                         | EAS reserves the ports 8080 and 9090 for itself
			management.server.port=9090              | EAS reserves the ports 8080 and 9090 for itself
			inference.deadline=soon                  | Property inference.deadline is 'soon'
			inference.deadline=0s                    | Property inference.deadline is 'PT0S'
			inference.admission.max-queued=-1        | Property inference.admission.maxQueued is '-1'
			inference.admission.max-concurrent=0     | Property inference.admission.maxConcurrent is '0'
			inference.model.name=a/b                 | Property inference.model.name is 'a/b'
			inference.model.device=gpu               | Property inference.model.device is 'gpu'
			inference.model.threads=0                | Property inference.model.threads is '0'
			inference.request.max-size=0B            | max-size must be between 1B and 511MB
			""")
	void namesThePropertyItsValueAndTheRule(String property, String sentence, CapturedOutput output) {
		assertThatException().isThrownBy(() -> Server.starting(TestModel::new, property));
		assertThat(output).contains("APPLICATION FAILED TO START", sentence)
			.doesNotContain("\tat ", "Error starting", "Error creating bean");
	}

	@Test
	void saysWhichPortIsTaken(CapturedOutput output) throws IOException {
		try (ServerSocket taken = new ServerSocket(0)) {
			String property = "server.port=%d".formatted(taken.getLocalPort());
			assertThatException().isThrownBy(() -> Server.starting(TestModel::new, property));
			assertThat(output).contains("Port %d was already in use".formatted(taken.getLocalPort()));
		}
	}

}
