package inference.health;

import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.mock.env.MockEnvironment;

import inference.lifecycle.Lifecycles;
import inference.lifecycle.Snapshot;
import inference.lifecycle.State;
import inference.model.FakeModel;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class ProbeTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|', useHeadersInDisplayName = true, textBlock = """
			state    | startup | liveness | readiness
			LOADING  | 503     | 200      | 503
			WARMING  | 503     | 200      | 503
			READY    | 200     | 200      | 200
			FAILED   | 503     | 200      | 503
			STUCK    | 200     | 503      | 503
			DRAINING | 200     | 200      | 503
			CLOSED   | 200     | 200      | 503
			""")
	void passesOrFailsInEachState(State state, int startup, int liveness, int readiness) {
		assertThat(ProbeResults.of(new Snapshot(state, "because")))
			.isEqualTo(new ProbeResults(state.name(), "because", startup == 200, liveness == 200, readiness == 200));
	}

	@ParameterizedTest
	@ValueSource(strings = { "server.ssl.bundle", "server.servlet.context-path", "server.address" })
	void warnsAboutAPropertyThatCanChangeTheProbesAddress(String property, CapturedOutput output) {
		var environment = new MockEnvironment().withProperty(property, "8002");
		assertThat(new Probes(Lifecycles.ready(new FakeModel()), environment)).isNotNull();
		assertThat(output).contains("Probes may fail, because %s can change their address".formatted(property));
	}

	// The server itself answers these paths on its own port, whatever Actuator does.
	@ParameterizedTest
	@ValueSource(strings = { "management.server.port", "management.endpoints.web.base-path",
			"management.endpoint.health.access", "spring.mvc.servlet.path" })
	void doesNotWarnAboutAPropertyThatKeepsTheProbesAddress(String property, CapturedOutput output) {
		var environment = new MockEnvironment().withProperty(property, "8002");
		assertThat(new Probes(Lifecycles.ready(new FakeModel()), environment)).isNotNull();
		assertThat(output).doesNotContain("Probes may fail");
	}

}
