package inference.grpc;

import io.grpc.Attributes;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class OpenCallsTests {

	@Test
	void refusesConnectionsAboveTheLimitUntilOthersEnd() {
		OpenCalls calls = new OpenCalls(1);
		Attributes first = calls.transportReady(Attributes.EMPTY);
		assertThatThrownBy(() -> calls.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		// gRPC calls transportTerminated() with null for a refused connection, and for
		// one that never became ready.
		calls.transportTerminated(null);
		calls.transportTerminated(null);
		assertThatThrownBy(() -> calls.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		calls.transportTerminated(first);
		assertThat(calls.transportReady(Attributes.EMPTY)).isNotNull();
	}

}
