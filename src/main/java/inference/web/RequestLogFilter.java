package inference.web;

import java.io.IOException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpFilter;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.slf4j.MDC;

/**
 * Puts the ids of the request and of its W3C trace into the log's context, for every line
 * that the request causes. The names are those of the Elastic Common Schema.
 */
final class RequestLogFilter extends HttpFilter {

	private static final String TRACE = "trace.id";

	private static final String SPAN = "span.id";

	private static final Pattern TRACE_PARENT = Pattern
		.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?");

	@Override
	protected void doFilter(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
			throws IOException, ServletException {
		MDC.put(RequestId.LOG_KEY, RequestId.of(request));
		String parent = request.getHeader("traceparent");
		if (parent != null) {
			Matcher ids = TRACE_PARENT.matcher(parent);
			if (ids.matches()) {
				MDC.put(TRACE, ids.group(1));
				MDC.put(SPAN, ids.group(2));
			}
		}
		try {
			chain.doFilter(request, response);
		}
		finally {
			MDC.remove(RequestId.LOG_KEY);
			MDC.remove(TRACE);
			MDC.remove(SPAN);
		}
	}

}
