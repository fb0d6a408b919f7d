package inference.protocol;

import java.io.IOException;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.apache.coyote.ActionCode;
import org.jspecify.annotations.Nullable;

import inference.admission.RequestThreads;

/**
 * The request that a thread serves, known to the log and to whoever asks whether its
 * client is still there, which the Servlet API cannot tell. Bound around everything that
 * Tomcat does with it; a request attribute and Spring's thread locals would take three
 * times as long.
 */
final class CurrentRequest extends ValveBase {

	private static final ScopedValue<Arrived> CURRENT = ScopedValue.newInstance();

	private final RequestThreads threads;

	CurrentRequest(RequestThreads threads) {
		super(true);
		this.threads = threads;
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		try {
			ScopedValue.where(CURRENT, new Arrived(request, this.threads.arrival())).call(() -> {
				getNext().invoke(request, response);
				return null;
			});
		}
		catch (IOException | ServletException | RuntimeException ex) {
			throw ex;
		}
		catch (Exception ex) {
			throw new ServletException(ex);
		}
	}

	/** The request that this thread serves, or {@code null} if it serves none. */
	static @Nullable HttpServletRequest get() {
		return connection();
	}

	/** The same as Tomcat has it. */
	static @Nullable Request connection() {
		return CURRENT.isBound() ? CURRENT.get().request() : null;
	}

	/**
	 * When the request arrived that this thread serves, in {@link System#nanoTime()}; now
	 * if it serves none.
	 */
	static long arrival() {
		return CURRENT.isBound() ? CURRENT.get().at() : System.nanoTime();
	}

	/**
	 * Asks whether the client of a request has hung up. Beyond the body, Tomcat is made
	 * to read from the connection without waiting: at its end it reports one byte, to be
	 * found an end when it is read; nothing or a further request means that the client is
	 * there.
	 * @param request whose body has been read
	 */
	static boolean isGone(@Nullable Request request) {
		if (request == null) {
			return false;
		}
		org.apache.coyote.Request connection = request.getCoyoteRequest();
		connection.action(ActionCode.AVAILABLE, true);
		int available = connection.getAvailable();
		connection.setAvailable(0);
		return available == 1;
	}

	private record Arrived(Request request, long at) {
	}

}
