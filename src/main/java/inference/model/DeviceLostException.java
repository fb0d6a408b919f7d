package inference.model;

/**
 * Thrown by a model when no later call can succeed in this process, for example after an
 * illegal memory access on a GPU. The server then fails the liveness probe, so that the
 * platform restarts the process.
 */
public class DeviceLostException extends RuntimeException {

	public DeviceLostException(String message, Throwable cause) {
		super(message, cause);
	}

}
