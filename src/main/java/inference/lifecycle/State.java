package inference.lifecycle;

/**
 * The states of the model's life.
 */
public enum State {

	/** The model's constructor runs. */
	LOADING,

	/** The model runs on examples or on zeros until it gets no faster. */
	WARMING,

	/** Predictions are served. */
	READY,

	/**
	 * A call has been inside the model for too long while no other call returned, or the
	 * device is lost.
	 */
	STUCK,

	/** The process was asked to end. Requests that still arrive are served. */
	DRAINING,

	/** Loading or warm-up failed; the process ends. */
	FAILED,

	/** The model takes no more calls, and no other state follows. */
	CLOSED;

	/** Whether predictions may run in this state. */
	public boolean serves() {
		return this == READY || this == DRAINING;
	}

	/** Whether the model is loading or warming up. */
	boolean isStarting() {
		return this == LOADING || this == WARMING;
	}

	/**
	 * Whether {@link ModelLifecycle#become} may change this state to the given one. STUCK
	 * may follow itself with another reason, because a call that hangs may end with the
	 * loss of the device.
	 */
	boolean canBecome(State next) {
		return switch (this) {
			case LOADING -> next == WARMING || next == FAILED || next == DRAINING;
			case WARMING -> next == READY || next == FAILED || next == DRAINING;
			case READY -> next == STUCK || next == DRAINING;
			case STUCK -> next == READY || next == STUCK || next == DRAINING;
			case DRAINING, FAILED -> next == CLOSED;
			case CLOSED -> false;
		};
	}

}
