package inference.protocol;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.filter.Filter;
import ch.qos.logback.core.spi.FilterReply;
import jakarta.servlet.http.HttpServletRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.MDC;

import org.springframework.stereotype.Component;

/**
 * Puts the ids of the request and of its W3C trace on every line that it causes, a
 * model's own included. It does so when a line is about to be written, so that a request
 * that causes none pays nothing. The names are those of the Elastic Common Schema.
 */
@Component
final class RequestMdc extends Filter<ILoggingEvent> {

	private static final String REQUEST = "http.request.id";

	private static final String TRACE = "trace.id";

	private static final String SPAN = "span.id";

	private static final Pattern TRACE_PARENT = Pattern
		.compile("(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?");

	RequestMdc() {
		if (LoggerFactory.getILoggerFactory() instanceof LoggerContext logback) {
			logback.getLogger(Logger.ROOT_LOGGER_NAME)
				.iteratorForAppenders()
				.forEachRemaining((appender) -> appender.addFilter(this));
		}
	}

	@Override
	public FilterReply decide(ILoggingEvent event) {
		HttpServletRequest request = CurrentRequest.get();
		if (request != null) {
			put(request);
			// Has the event keep what is there now
			event.getMDCPropertyMap();
			MDC.remove(REQUEST);
			MDC.remove(TRACE);
			MDC.remove(SPAN);
		}
		return FilterReply.NEUTRAL;
	}

	private static void put(HttpServletRequest request) {
		MDC.put(REQUEST, RequestId.of(request));
		String parent = request.getHeader("traceparent");
		Matcher ids = TRACE_PARENT.matcher((parent != null) ? parent : "");
		if (ids.matches()) {
			MDC.put(TRACE, ids.group(1));
			MDC.put(SPAN, ids.group(2));
		}
	}

}
