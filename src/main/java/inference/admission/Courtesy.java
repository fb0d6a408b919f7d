package inference.admission;

/**
 * How long a thread whose own call has its outputs runs those of others, before it
 * answers its client. Whoever is woken to have the slot instead comes after all that is
 * ready to run, and the slot idles meanwhile.
 *
 * @param until the moment, in {@link System#nanoTime()}
 */
record Courtesy(long until) {

	private static final long MOST = 1_000_000;

	/**
	 * That of a call, which leaves it as much time to be answered in as it takes.
	 * @param own when the call's own answer comes too late
	 * @param now when it has its outputs
	 */
	static Courtesy of(Deadline own, long now) {
		return new Courtesy(now + Math.min(MOST, own.remaining(now) / 2));
	}

	boolean isOver(long now) {
		return this.until - now <= 0;
	}

}
