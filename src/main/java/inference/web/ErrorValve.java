package inference.web;

import java.io.IOException;
import java.io.UncheckedIOException;

import org.apache.catalina.connector.Request;
import org.apache.catalina.connector.Response;
import org.apache.catalina.valves.ErrorReportValve;
import org.jspecify.annotations.Nullable;

/**
 * Answers errors of Tomcat and of filters in the same form as other errors. Without it
 * Tomcat sends an HTML page.
 */
final class ErrorValve extends ErrorReportValve {

	@Override
	protected void report(Request request, Response response, @Nullable Throwable failure) {
		if (response.getStatus() < 400 || response.getContentWritten() > 0) {
			return;
		}
		ErrorAnswer answer = (request.getAttribute(ErrorAnswer.ATTRIBUTE) instanceof ErrorAnswer given) ? given
				: answer(request, response, failure);
		try {
			answer.send(request, response);
			response.finishResponse();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private static ErrorAnswer answer(Request request, Response response, @Nullable Throwable failure) {
		// Tomcat answers 400 for headers that are too large and tells the reason only
		// here.
		boolean isTooLarge = failure instanceof IllegalArgumentException
				&& String.valueOf(failure.getMessage()).contains("too large");
		int status = isTooLarge ? 431 : response.getStatus();
		String sentence = response.getMessage();
		return (status == 404) ? ErrorAnswer.notFound(String.valueOf(request.getRequestURI()))
				: ErrorAnswer.of(status, (sentence != null) ? sentence : ErrorAnswer.sentenceFor(status));
	}

}
