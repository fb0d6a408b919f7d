package inference.lifecycle;

/**
 * Where the model is in its life.
 */
public enum State {

	/** The model's constructor runs. */
	LOADING,

	/** The model runs on made-up input until it is as fast as it will be. */
	WARMING,

	/** Predictions are served. */
	READY,

	/** A call into the model does not return, and nothing else gets through. */
	STUCK,

	/** The process was asked to end; what still arrives is served, then finished. */
	DRAINING,

	/** The model could not be loaded; the process ends. */
	FAILED,

	/** The model is freed. */
	CLOSED;

	/**
	 * Whether a prediction may run.
	 * @return {@code true} in the states in which the model is loaded and whole
	 */
	public boolean serves() {
		return switch (this) {
			case READY, DRAINING -> true;
			case LOADING, WARMING, STUCK, FAILED, CLOSED -> false;
		};
	}

	boolean canBecome(State next) {
		return switch (this) {
			case LOADING -> next == WARMING || next == FAILED || next == DRAINING;
			case WARMING -> next == READY || next == FAILED || next == DRAINING;
			case READY -> next == STUCK || next == DRAINING;
			case STUCK -> next == READY || next == DRAINING;
			case DRAINING, FAILED -> next == CLOSED;
			case CLOSED -> false;
		};
	}

}
