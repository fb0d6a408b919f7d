package inference.web;

import java.io.IOException;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ValveBase;
import org.apache.coyote.ActionCode;

import inference.admission.Client;

/**
 * A client as Tomcat knows it. The Servlet API cannot tell whether a client has closed
 * its connection, so Tomcat's own request is asked.
 */
final class TomcatClient implements Client {

	private static final String ATTRIBUTE = TomcatClient.class.getName();

	private final Request request;

	private TomcatClient(Request request) {
		this.request = request;
	}

	static Client of(HttpServletRequest request) {
		return (request.getAttribute(ATTRIBUTE) instanceof Client client) ? client : CONNECTED;
	}

	/**
	 * Makes Tomcat read from the connection without waiting. At the connection's end
	 * Tomcat reports one available byte; nothing or the bytes of another request mean
	 * that the client is connected.
	 */
	@Override
	public boolean isGone() {
		org.apache.coyote.Request connection = this.request.getCoyoteRequest();
		connection.action(ActionCode.AVAILABLE, true);
		int available = connection.getAvailable();
		connection.setAvailable(0);
		return available == 1;
	}

	/**
	 * Makes Tomcat's request known to the servlet, behind whatever wraps it.
	 */
	static final class Valve extends ValveBase {

		Valve() {
			super(true);
		}

		@Override
		public void invoke(Request request, Response response) throws IOException, ServletException {
			request.setAttribute(ATTRIBUTE, new TomcatClient(request));
			getNext().invoke(request, response);
		}

	}

}
