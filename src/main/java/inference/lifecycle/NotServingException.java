package inference.lifecycle;

/**
 * Thrown when the model is called in a state in which it does not serve.
 */
public class NotServingException extends RuntimeException {

	private final transient Snapshot snapshot;

	NotServingException(Snapshot snapshot) {
		super(snapshot.reason(), null, false, false);
		this.snapshot = snapshot;
	}

	public Snapshot snapshot() {
		return this.snapshot;
	}

}
