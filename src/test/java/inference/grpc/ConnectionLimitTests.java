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
		// gRPC says of refused connections, and of those that never were ready, that they
		// have ended, too.
		limit.transportTerminated(null);
		limit.transportTerminated(null);
		assertThatThrownBy(() -> limit.transportReady(Attributes.EMPTY)).hasMessageContaining("too many connections");
		limit.transportTerminated(Attributes.EMPTY);
		assertThat(limit.transportReady(Attributes.EMPTY)).isEqualTo(Attributes.EMPTY);
	}

}
