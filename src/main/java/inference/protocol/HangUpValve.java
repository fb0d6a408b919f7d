package inference.protocol;

import java.io.IOException;

import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.apache.coyote.ActionCode;

/**
 * Lets a request be asked whether its client is still there, which the Servlet API cannot
 * tell. Beyond the body, Tomcat is made to read from the connection without waiting: at
 * its end it reports one byte, to be found an end when it is read; nothing or a further
 * request means that the client is there.
 */
final class HangUpValve extends ValveBase {

	private static final String ATTRIBUTE = HangUpValve.class.getName();

	HangUpValve() {
		super(true);
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		request.setAttribute(ATTRIBUTE, request.getCoyoteRequest());
		getNext().invoke(request, response);
	}

	/**
	 * Asks whether the client of a request has hung up.
	 * @param request whose body has been read
	 */
	static boolean isGone(ServletRequest request) {
		if (!(request.getAttribute(ATTRIBUTE) instanceof org.apache.coyote.Request connection)) {
			return false;
		}
		connection.action(ActionCode.AVAILABLE, true);
		int available = connection.getAvailable();
		connection.setAvailable(0);
		return available == 1;
	}

}
