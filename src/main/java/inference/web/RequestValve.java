package inference.web;

import java.io.IOException;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import org.apache.catalina.LifecycleException;
import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.rewrite.RewriteValve;
import org.apache.coyote.ActionCode;

import inference.admission.Admission;
import inference.admission.Client;

/**
 * The first step of every request, before any filter. It serves every path also under
 * {@code /api/predict/{service}}: EAS clients address a service so, and a direct
 * connection does not strip the prefix as the gateway does.
 */
final class RequestValve extends RewriteValve {

	private static final String PREFIX = "/api/predict/";

	private static final String RULE = "RewriteRule ^/api/predict/[^/]+/?(.*)$ /$1";

	private static final String CLIENT = Client.class.getName();

	private final Admission admission;

	RequestValve(Admission admission) {
		this.admission = admission;
	}

	/** The client that sent a request. */
	static Client clientOf(HttpServletRequest request) {
		return (request.getAttribute(CLIENT) instanceof Client client) ? client : Client.CONNECTED;
	}

	@Override
	protected void startInternal() throws LifecycleException {
		try {
			setConfiguration(RULE);
		}
		catch (Exception ex) {
			throw new LifecycleException(ex);
		}
		super.startInternal();
	}

	@Override
	public void invoke(Request request, Response response) throws IOException, ServletException {
		Client client = () -> isGone(request.getCoyoteRequest());
		request.setAttribute(CLIENT, client);
		if (this.admission.isDraining()) {
			// A client that kept its connection would soon find it closed.
			response.setHeader("Connection", "close");
		}
		RequestId.startLogging(request);
		try {
			if (request.getDecodedRequestURI() != null && request.getDecodedRequestURI().startsWith(PREFIX)) {
				super.invoke(request, response);
			}
			else {
				getNext().invoke(request, response);
			}
		}
		finally {
			RequestId.endLogging();
		}
	}

	// Makes Tomcat read from the connection without waiting; the Servlet API cannot. At
	// the connection's end Tomcat reports one available byte. Nothing, or the bytes of
	// another request, mean that the client is connected.
	private static boolean isGone(org.apache.coyote.Request connection) {
		connection.action(ActionCode.AVAILABLE, true);
		int available = connection.getAvailable();
		connection.setAvailable(0);
		return available == 1;
	}

}
