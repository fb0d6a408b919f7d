package inference.grpc;

import io.grpc.Attributes;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ConnectionLimitTests {

	@Test
	void refusesConnectionsAboveTheLimitUntilOthersEnd() {
		ConnectionLimit limit = new ConnectionLimit(1);
		Attributes first = limit.transportReady(Attributes.EMPTY);
		assertThatThrownBy(() -> limit.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		// gRPC calls transportTerminated() with null for a refused connection, and for
		// one that never became ready.
		limit.transportTerminated(null);
		limit.transportTerminated(null);
		assertThatThrownBy(() -> limit.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		limit.transportTerminated(first);
		assertThat(limit.transportReady(Attributes.EMPTY)).isNotNull();
	}

}
