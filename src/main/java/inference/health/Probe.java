package inference.health;

import inference.lifecycle.State;

/**
 * The three probes of Kubernetes, with their result in each state.
 */
public enum Probe {

	/**
	 * Has the server started? The platform asks the other two probes only after this one
	 * has passed, and it limits the time for that.
	 */
	STARTUP {
		@Override
		boolean passes(State state) {
			return switch (state) {
				case LOADING, WARMING, FAILED -> false;
				case READY, STUCK, DRAINING, CLOSED -> true;
			};
		}
	},

	/**
	 * Can the server go on without a restart? After a failed load the probe passes,
	 * because the process ends by itself.
	 */
	LIVENESS {
		@Override
		boolean passes(State state) {
			return switch (state) {
				case STUCK -> false;
				case LOADING, WARMING, READY, DRAINING, FAILED, CLOSED -> true;
			};
		}
	},

	/**
	 * Should clients send requests? While the server drains the probe fails, although
	 * requests are still served. The load does not matter, because requests in excess get
	 * the answer 429.
	 */
	READINESS {
		@Override
		boolean passes(State state) {
			return switch (state) {
				case READY -> true;
				case LOADING, WARMING, STUCK, DRAINING, FAILED, CLOSED -> false;
			};
		}
	};

	abstract boolean passes(State state);

}
