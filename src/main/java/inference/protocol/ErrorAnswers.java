package inference.protocol;

import java.io.IOException;

import jakarta.servlet.RequestDispatcher;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.boot.webmvc.error.ErrorController;
import org.springframework.http.HttpStatus;
import org.springframework.stereotype.Controller;
import org.springframework.web.bind.annotation.RequestMapping;

/**
 * Gives errors outside our own paths, an unknown address above all, the form of all
 * others.
 */
@Controller
class ErrorAnswers implements ErrorController {

	@RequestMapping("/error")
	void error(HttpServletRequest request, HttpServletResponse response) throws IOException {
		Object code = request.getAttribute(RequestDispatcher.ERROR_STATUS_CODE);
		HttpStatus status = (code instanceof Integer number) ? HttpStatus.valueOf(number) : HttpStatus.NOT_FOUND;
		Object path = request.getAttribute(RequestDispatcher.ERROR_REQUEST_URI);
		String sentence = (status == HttpStatus.NOT_FOUND)
				? "There is nothing at %s.".formatted(RequestException.excerpt(String.valueOf(path)))
				: status.getReasonPhrase() + ".";
		Failures.error(status.value(), sentence, null).send(request, response);
	}

}
