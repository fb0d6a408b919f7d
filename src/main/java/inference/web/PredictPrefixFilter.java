package inference.web;

import java.io.IOException;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

/**
 * Serves every path also under {@code /api/predict/{service}}. That is how EAS clients
 * address a service; the gateway strips the prefix, a direct connection does not.
 */
final class PredictPrefixFilter extends HttpFilter {

	static final String PREFIX = "/api/predict/";

	@Override
	protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws IOException, ServletException {
		String path = request.getRequestURI().substring(request.getContextPath().length());
		int end = path.indexOf('/', PREFIX.length());
		String rest = (end >= 0) ? path.substring(end) : "/";
		request.getRequestDispatcher(rest).forward(request, response);
	}

}
