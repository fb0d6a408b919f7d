package inference;

import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.nio.file.FileSystemException;
import java.util.Objects;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.beans.factory.BeanCreationException;
import org.springframework.beans.factory.NoUniqueBeanDefinitionException;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.boot.web.server.WebServerException;
import org.springframework.context.ApplicationContextException;

import inference.lifecycle.State;
import inference.model.Model;
import inference.model.UnusableModelException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatException;

/**
 * What the server says when it cannot start as it is configured.
 */
@ExtendWith(OutputCaptureExtension.class)
class StartFailureTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			textBlock = """
					server.port=8080                               | Property server.port is '8080': EAS reserves the ports 8080 and 9090
					server.http2.enabled=true                      | Property server.http2.enabled is 'true': HTTP/2 is supported only for gRPC, on a port of its own
					logging.structured.format.console=none         | Property logging.structured.format.console is 'none': must be empty, ecs,
					inference.deadline=soon                        | Property inference.deadline is 'soon'
					inference.deadline=0s                          | Property inference.deadline is 'PT0S'
					inference.model.nmae=iris                      | Property inference.model.nmae is 'iris' (from "inference.model.nmae" from property source "commandLineArgs"): there is no such property.
					inference.admission.max-queued=                | Property inference.admission.max-queued is '' (from "inference.admission.max-queued" from property source "commandLineArgs"): must not be empty.
					inference.drain.delay=                         | Property inference.drain.delay is '' (from "inference.drain.delay" from property source "commandLineArgs"): must not be empty.
					management.endpoint.health.access=none         | The probes need Actuator's health endpoint
					management.endpoints.web.exposure.include=info | The probes need Actuator's health endpoint
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

	@Test
	void saysWhichDirectoryCannotBeWritten() {
		FailureAnalysis analysis = analyze("Unable to create tempDir. java.io.tmpdir is set to /tmp",
				new FileSystemException("/tmp/tomcat", null, "Read-only file system"));
		assertThat(analysis.getDescription()).contains("java.io.tmpdir is set to /tmp", "Read-only file system");
		assertThat(analysis.getAction()).contains("Make the directory for temporary files writable");
	}

	@Test
	void saysWhichPortsNeedNoPrivilege() {
		FailureAnalysis analysis = analyze("Unable to start embedded Tomcat server",
				new IllegalStateException(new BindException("Permission denied")));
		assertThat(analysis.getDescription()).contains("Permission denied");
		assertThat(analysis.getAction()).contains("above 1023");
	}

	@Test
	void saysThatAnAddressOfAnotherMachineIsRefused() {
		BindException refusal = new BindException("Cannot assign requested address");
		assertThat(analyze("Unable to start embedded Tomcat server", refusal).getAction()).contains("server.address");
		FailureAnalysis grpcAnalysis = Objects.requireNonNull(
				new StartFailureAnalyzer().analyze(new ApplicationContextException("no gRPC server", refusal)));
		assertThat(grpcAnalysis.getAction()).contains("spring.grpc.server.address");
	}

	@Test
	void saysThatThePortOfGrpcIsTaken() {
		FailureAnalysis analysis = Objects.requireNonNull(new StartFailureAnalyzer()
			.analyze(new ApplicationContextException("no gRPC server", new BindException("Address already in use"))));
		assertThat(analysis.getDescription()).isEqualTo("The port of gRPC cannot be opened: Address already in use.");
		assertThat(analysis.getAction()).contains("spring.grpc.server.port");
	}

	@Test
	void leavesTheFailureOfAFilterToSpringBoot() {
		Throwable failure = new WebServerException("Unable to start embedded Tomcat server",
				new BeanCreationException("filter", "the property acme.key-file is missing"));
		assertThat(new StartFailureAnalyzer().analyze(failure)).isNull();
	}

	@Test
	void givesAModelThatCannotBeServedTheSameForm(CapturedOutput output) {
		try (Server server = Server.starting(() -> {
			throw new UnusableModelException("There is no model at /models.", "Mount one.", null);
		})) {
			server.await(State.FAILED);
			assertThat(output)
				.containsSubsequence("Description:", "There is no model at /models.", "Action:", "Mount one.")
				.doesNotContain("\tat ");
			Surfaces.verify(server, State.FAILED, 503, 200, 503, "There is no model at /models. Mount one.");
		}
	}

	@Test
	void saysBetweenWhichModelsItCannotChoose(CapturedOutput output) {
		try (Server server = Server.starting(() -> {
			throw new NoUniqueBeanDefinitionException(Model.class, "testModel", "onnxModel");
		})) {
			server.await(State.FAILED);
			assertThat(output).contains("Description:", "testModel", "onnxModel", "Action:").doesNotContain("\tat ");
		}
	}

	private static FailureAnalysis analyze(String message, Exception cause) {
		return Objects.requireNonNull(new StartFailureAnalyzer()
			.analyze(new ApplicationContextException("no web server", new WebServerException(message, cause))));
	}

}
