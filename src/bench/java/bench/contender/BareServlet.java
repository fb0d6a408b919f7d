package bench.contender;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;

/**
 * A servlet in Tomcat that reads the request body and answers with 37 constant bytes. Its
 * rate is an upper bound for the server in the same Tomcat.
 */
public final class BareServlet extends HttpServlet {

	private static final byte[] ANSWER = "{\"predictions\":[[\"virginica\",0.987]]}"
		.getBytes(StandardCharsets.US_ASCII);

	public static void main(String[] args) {
		int port = Integer.parseInt(System.getenv("SERVER_PORT"));
		new TomcatServletWebServerFactory(port)
			.getWebServer((context) -> context.addServlet("bare", new BareServlet()).addMapping("/*"))
			.start();
	}

	@Override
	protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
		request.getInputStream().transferTo(OutputStream.nullOutputStream());
		response.setContentType("application/json");
		response.setContentLength(ANSWER.length);
		response.getOutputStream().write(ANSWER);
	}

}
