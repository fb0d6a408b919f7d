package inference.model;

/**
 * Thrown by a model when no later call can succeed in this process, for example after an
 * illegal memory access on a GPU. The liveness probe fails then, so that the process is
 * restarted.
 */
public class DeviceLostException extends RuntimeException {

	public DeviceLostException(String message, Throwable cause) {
		super(message, cause);
	}

}
