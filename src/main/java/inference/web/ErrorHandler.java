package inference.web;

import java.io.IOException;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatus;
import org.springframework.http.HttpMethod;
import org.springframework.stereotype.Controller;
import org.springframework.web.ErrorResponse;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.annotation.ControllerAdvice;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.RequestMapping;

import inference.codec.InvalidRequestException;

/**
 * Answers what controllers, Spring MVC and the container refuse in the form of every
 * other error.
 */
@Controller
@ControllerAdvice
class ErrorHandler implements ErrorController {

	@ExceptionHandler
	void handle(Exception failure, HttpServletRequest request, HttpServletResponse response) throws IOException {
		if (response.isCommitted()) {
			throw new IOException("The answer could not be sent", failure);
		}
		if (!(failure instanceof ErrorResponse error)) {
			ErrorAnswer.of(failure).send(request, response);
			return;
		}
		if (failure instanceof HttpRequestMethodNotSupportedException ex) {
			notAllowed(ex, response).send(request, response);
			return;
		}
		error.getHeaders().forEach((name, values) -> values.forEach((value) -> response.addHeader(name, value)));
		int status = error.getStatusCode().value();
		ErrorAnswer.of(status, sentence(status, request.getRequestURI())).send(request, response);
	}

	@RequestMapping("/error")
	void error(HttpServletRequest request, HttpServletResponse response) throws IOException {
		Object code = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
		int status = (code instanceof Integer number) ? number : HttpStatus.NOT_FOUND.value();
		Object path = request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI);
		ErrorAnswer.of(status, sentence(status, String.valueOf(path))).send(request, response);
	}

	private static String sentence(int status, String path) {
		if (status == HttpStatus.NOT_FOUND.value()) {
			return "There is nothing at %s.".formatted(InvalidRequestException.excerpt(path));
		}
		HttpStatus known = HttpStatus.resolve(status);
		return (known != null) ? known.getReasonPhrase() + "." : "The request was refused.";
	}

	// Spring MVC answers HEAD wherever it answers GET, but does not list it.
	private static ErrorAnswer notAllowed(HttpRequestMethodNotSupportedException ex, HttpServletResponse response) {
		Set<HttpMethod> supported = Objects.requireNonNullElse(ex.getSupportedHttpMethods(), Set.of());
		String methods = supported.stream().map(HttpMethod::name).sorted().collect(Collectors.joining(" or "));
		response.setHeader("Allow", methods.replace("GET", "GET, HEAD").replace(" or ", ", "));
		return ErrorAnswer.of(HttpStatus.METHOD_NOT_ALLOWED.value(),
				"%s is not allowed here: use %s.".formatted(InvalidRequestException.excerpt(ex.getMethod()), methods));
	}

}
