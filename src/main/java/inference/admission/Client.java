package inference.admission;

/**
 * Who waits for an answer.
 */
public interface Client {

	/** One that waits for whatever comes. */
	Client PATIENT = new Client() {
		@Override
		public boolean isGone() {
			return false;
		}

		@Override
		public void refuse(Refusal refusal) {
			// Nobody is there to be told.
		}
	};

	/**
	 * Whether it has hung up. Asked after a wait, on any thread, but not while the
	 * client's own one is doing anything but waiting.
	 * @return {@code true} if nobody is there to be answered
	 */
	boolean isGone();

	/**
	 * Answers at the deadline, while the client's own thread is inside the model: it may
	 * not return for long.
	 * @param refusal what to answer
	 */
	void refuse(Refusal refusal);

}
