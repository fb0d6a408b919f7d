package inference.lifecycle;

/**
 * Thrown when the model is called in a state in which it does not serve.
 */
public class NotServingException extends RuntimeException {

	NotServingException(String reason) {
		super(reason, null, false, false);
	}

}
