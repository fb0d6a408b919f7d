package inference.health;

import inference.lifecycle.State;

/**
 * The three questions Kubernetes asks of a container, and their answer in every state.
 */
public enum Probe {

	/**
	 * Has it started? Until then the other two are not asked; a limit on the time is the
	 * platform's to set.
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
	 * Is it beyond help, so that only a restart mends it? A failed load is not: the
	 * process ends by itself.
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
	 * Should it be sent requests? Not while it drains, though it serves those that still
	 * come; but yes under any load, for what is too much gets an answer of its own.
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
