package inference.admission;

/**
 * The client of a call.
 */
@FunctionalInterface
public interface Client {

	/** A client that cannot be asked and counts as connected. */
	Client CONNECTED = () -> false;

	/**
	 * Whether the client has closed its connection. The method does not block and does
	 * not throw. It is called by another thread while the client's own thread only waits.
	 * @return {@code true} if nobody would get the answer
	 */
	boolean isGone();

}
