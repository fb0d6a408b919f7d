package inference.admission;

/**
 * The time in which a thread of {@link RequestThreads} is not at work, until it is
 * closed.
 */
public interface Pause extends AutoCloseable {

	@Override
	void close();

}
