package inference.model;

/**
 * Thrown by a model when no further call can succeed in this process, as after an illegal
 * access on a GPU: only a restart helps, and liveness asks for it.
 */
public class DeviceLostException extends RuntimeException {

	public DeviceLostException(String message, Throwable cause) {
		super(message, cause);
	}

}
