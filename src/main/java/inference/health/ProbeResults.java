package inference.health;

import inference.lifecycle.Snapshot;

/**
 * The results of the three probes at one moment.
 *
 * @param stateName the name of the lifecycle's state
 * @param reason the reason for the state, as text for an operator
 * @param started whether the startup probe passes. Until it passes, the platform sends no
 * other probes; if it does not pass in time, the platform restarts the container
 * @param live whether the liveness probe passes. It passes even after a failed load,
 * because the process then ends by itself
 * @param ready whether the readiness probe passes. It fails while the server drains,
 * although requests are still served. It does not depend on the traffic, because excess
 * requests are rejected with 429
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
