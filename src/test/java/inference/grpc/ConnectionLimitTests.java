package inference.grpc;

import io.grpc.Attributes;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

class ConnectionLimitTests {

	@Test
	void refusesConnectionsAboveTheLimitUntilOthersEnd() {
		ConnectionLimit limit = new ConnectionLimit(1);
		assertThat(limit.transportReady(Attributes.EMPTY)).isEqualTo(Attributes.EMPTY);
		assertThatThrownBy(() -> limit.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		// gRPC calls transportTerminated() with null for a refused connection, and for
		// one that never became ready.
		limit.transportTerminated(null);
		limit.transportTerminated(null);
		assertThatThrownBy(() -> limit.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		limit.transportTerminated(Attributes.EMPTY);
		assertThat(limit.transportReady(Attributes.EMPTY)).isEqualTo(Attributes.EMPTY);
	}

}
