package inference.web;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.tomcat.util.http.InvalidParameterException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.http.HttpStatus;
import org.springframework.http.converter.HttpMessageNotReadableException;
import org.springframework.validation.BindException;
import org.springframework.validation.method.ParameterValidationResult;
import org.springframework.web.ErrorResponse;
import org.springframework.web.HttpRequestMethodNotSupportedException;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.method.annotation.HandlerMethodValidationException;
import org.springframework.web.method.annotation.MethodArgumentTypeMismatchException;
import org.springframework.web.multipart.MultipartException;
import org.springframework.web.server.ResponseStatusException;
import org.springframework.web.util.BindErrorUtils;

import inference.admission.Rejection;
import inference.codec.InvalidRequestException;

/**
 * The answer to a request that failed. This class translates exceptions to HTTP.
 *
 * @param status the HTTP status
 * @param sentence tells the client the reason, and what to change if that helps
 * @param headers the answer's headers besides the content type and the request's id
 */
record ErrorAnswer(int status, String sentence, Map<String, String> headers) {

	private static final Logger logger = LoggerFactory.getLogger(ErrorAnswer.class);

	/** The name of the request's attribute that holds the error answer. */
	static final String ATTRIBUTE = ErrorAnswer.class.getName();

	/**
	 * The answer to a failure of a prediction, of Spring MVC or of a fork's controller.
	 */
	static ErrorAnswer of(Throwable failure) {
		return switch (failure) {
			case InvalidRequestException ex -> of(ex.isUnknownModel() ? 404 : 400, String.valueOf(ex.getMessage()));
			case InvalidParameterException ex -> of(400, "The query is not valid: check its encoding.");
			case HttpMessageNotReadableException ex ->
				of(400, "The body cannot be read: check its form and its length.");
			case HttpRequestMethodNotSupportedException ex -> notAllowed(ex.getMethod(),
					Stream.of(Objects.requireNonNullElse(ex.getSupportedMethods(), new String[0]))
						.sorted()
						.collect(Collectors.joining(" or ")));
			case BindException ex -> invalidRequest(BindErrorUtils.resolveAndJoin(ex.getAllErrors()));
			case HandlerMethodValidationException ex when !ex.isForReturnValue() ->
				invalidRequest(ex.getParameterValidationResults()
					.stream()
					.map(ErrorAnswer::describe)
					.collect(Collectors.joining(", ")));
			case ResponseStatusException ex -> {
				int status = ex.getStatusCode().value();
				yield new ErrorAnswer(status, Objects.requireNonNullElseGet(ex.getReason(), () -> reasonPhrase(status)),
						(status == 415) ? Map.of("Accept-Encoding", "gzip, deflate") : Map.of());
			}
			case ErrorResponse ex -> {
				int status = ex.getStatusCode().value();
				yield of(status, Objects.requireNonNullElseGet(ex.getBody().getDetail(), () -> reasonPhrase(status)));
			}
			case MultipartException ex -> {
				logger.debug("A form could not be read", ex);
				yield of(400, "The form cannot be read: check its boundary and its parts.");
			}
			case MethodArgumentTypeMismatchException ex -> of(400, "The value of '%s' is not valid: %s."
				.formatted(ex.getName(), InvalidRequestException.excerpt(String.valueOf(ex.getValue()))));
			default -> {
				ResponseStatus annotation = AnnotatedElementUtils.findMergedAnnotation(failure.getClass(),
						ResponseStatus.class);
				yield (annotation == null) ? of(Rejection.of(failure)) : of(annotation);
			}
		};
	}

	// A fork can annotate an exception with the status that answers it.
	private static ErrorAnswer of(ResponseStatus annotation) {
		int status = annotation.code().value();
		return of(status, annotation.reason().isEmpty() ? reasonPhrase(status) : annotation.reason());
	}

	private static ErrorAnswer invalidRequest(String violatedConstraints) {
		return of(400, "The request is not valid: %s.".formatted(violatedConstraints));
	}

	private static String describe(ParameterValidationResult parameter) {
		return "%s: %s".formatted(parameter.getMethodParameter().getParameterName(),
				BindErrorUtils.resolveAndJoin(parameter.getResolvableErrors()));
	}

	static ErrorAnswer notFound(String path) {
		return of(404, "There is nothing at %s.".formatted(InvalidRequestException.excerpt(path)));
	}

	/**
	 * The answer to a request with an HTTP method that the path refuses.
	 * @param allowedMethods the path's methods, such as {@code GET or POST}; GET includes
	 * HEAD
	 */
	static ErrorAnswer notAllowed(String method, String allowedMethods) {
		return new ErrorAnswer(405,
				"%s is not allowed here: use %s.".formatted(InvalidRequestException.excerpt(method), allowedMethods),
				Map.of("Allow", allowedMethods.replace("GET", "GET, HEAD").replace(" or ", ", ")));
	}

	static ErrorAnswer of(int status, String sentence) {
		return new ErrorAnswer(status, sentence, Map.of());
	}

	/** The sentence for a refusal by Tomcat, which gives only the HTTP status. */
	static String sentenceFor(int status) {
		return switch (status) {
			case 400 -> "The request line or a header is not valid HTTP.";
			case 417 -> "The header Expect must be 100-continue.";
			case 431 ->
				"There are more than 100 headers: send fewer. Or they are too large: send shorter ones, or raise server.max-http-request-header-size.";
			case 501 -> "The transfer encoding must be chunked.";
			case 505 -> "The version must be HTTP/1.1.";
			default -> reasonPhrase(status);
		};
	}

	private static String reasonPhrase(int status) {
		HttpStatus httpStatus = HttpStatus.resolve(status);
		return (httpStatus != null) ? httpStatus.getReasonPhrase() + "." : "The request was refused.";
	}

	private static ErrorAnswer of(Rejection rejection) {
		int status = switch (rejection.kind()) {
			case INVALID_INPUT -> 400;
			case NOT_READY -> 503;
			case OVERLOADED -> 429;
			case TOO_LARGE -> 413;
			case DEADLINE_EXCEEDED -> 504;
			// nginx uses this status, too. The client that has gone reads no answer.
			case CLIENT_GONE -> 499;
			case FAILED -> 500;
		};
		Duration retryAfter = rejection.retryAfter();
		Map<String, String> headers = (retryAfter == null) ? Map.of()
				: Map.of("Retry-After", Long.toString(Math.max(1, retryAfter.plusMillis(999).toSeconds())));
		return new ErrorAnswer(status, String.valueOf(rejection.getMessage()), headers);
	}

	void send(HttpServletRequest request, HttpServletResponse response) throws IOException {
		// If reading the body has failed, Tomcat has suspended the response and discards
		// what is written below. RequestValve then sends the answer in this attribute.
		request.setAttribute(ATTRIBUTE, this);
		byte[] body = JsonMapper.shared().writeValueAsBytes(Map.of("error", this.sentence));
		response.setStatus(this.status);
		response.setHeader(RequestId.HEADER, RequestId.of(request));
		this.headers.forEach(response::setHeader);
		response.setContentType("application/json");
		response.setContentLength(body.length);
		response.getOutputStream().write(body);
	}

}
