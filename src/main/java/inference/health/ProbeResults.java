package inference.health;

import inference.lifecycle.Snapshot;

/**
 * The results of the three probes at one moment.
 *
 * @param stateName the name of the lifecycle's state
 * @param reason the reason for the state, as one sentence for an operator
 * @param started whether startup passes. Until then the platform does not ask the other
 * two probes, and it limits the time
 * @param live whether liveness passes. After a failed load it does, because the process
 * ends by itself
 * @param ready whether readiness passes. While the server drains it does not, although
 * requests are still served. The load does not matter, because requests in excess get the
 * answer 429
 */
public record ProbeResults(String stateName, String reason, boolean started, boolean live, boolean ready) {

	static ProbeResults of(Snapshot snapshot) {
		String stateName = snapshot.state().name();
		return switch (snapshot.state()) {
			case LOADING, WARMING, FAILED -> new ProbeResults(stateName, snapshot.reason(), false, true, false);
			case READY -> new ProbeResults(stateName, snapshot.reason(), true, true, true);
			case STUCK -> new ProbeResults(stateName, snapshot.reason(), true, false, false);
			case DRAINING, CLOSED -> new ProbeResults(stateName, snapshot.reason(), true, true, false);
		};
	}

}
