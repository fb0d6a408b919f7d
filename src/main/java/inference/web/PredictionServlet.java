package inference.web;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import org.apache.catalina.connector.ClientAbortException;
import org.jspecify.annotations.Nullable;

import inference.admission.Admission;
import inference.admission.Deadline;
import inference.admission.Rejection;
import inference.admission.RequestProperties;
import inference.admission.Reservation;
import inference.admission.Statistics;
import inference.admission.Statistics.Outcome;
import inference.admission.Statistics.Protocol;
import inference.admission.Statistics.Stage;
import inference.codec.InferenceRequest;
import inference.codec.InferenceRequest.BodyFormat;
import inference.codec.InferenceResponse;
import inference.codec.InvalidRequestException;
import inference.codec.RequestReader;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;
import inference.web.RequestExecutor.Wait;

/**
 * Answers prediction requests on all HTTP paths of the model. The content type of a
 * request does not matter, because EAS clients send {@code application/octet-stream} or
 * none.
 */
final class PredictionServlet extends HttpServlet {

	private static final String JSON_LENGTH_HEADER = "Inference-Header-Content-Length";

	private static final String TIMEOUT_HEADER = "X-Request-Timeout-Ms";

	// If the model takes texts, a body reserves three times its length for the decoded
	// Java strings.
	private static final long TEXT_MEMORY_FACTOR = 3;

	private final transient Admission admission;

	private final transient Statistics statistics;

	private final transient RequestExecutor requestExecutor;

	private final transient ModelProperties modelProperties;

	private final long maxBodyBytes;

	PredictionServlet(Admission admission, Statistics statistics, RequestExecutor requestExecutor,
			ModelProperties modelProperties, RequestProperties requestProperties) {
		this.admission = admission;
		this.statistics = statistics;
		this.requestExecutor = requestExecutor;
		this.modelProperties = modelProperties;
		this.maxBodyBytes = requestProperties.maxSize().toBytes();
	}

	static String[] paths(ModelProperties modelProperties) {
		String v1 = "/v1/models/" + modelProperties.name();
		String v2 = "/v2/models/" + modelProperties.name();
		String version = "/versions/" + modelProperties.version();
		String newestVersion = "/versions/" + ModelProperties.NEWEST_VERSION;
		return new String[] { "", v1 + ":predict", v1 + version + ":predict", v1 + newestVersion + ":predict",
				v1 + "/labels/" + MetadataController.VERSION_LABEL + ":predict", v2 + "/infer", v2 + version + "/infer",
				v2 + newestVersion + "/infer" };
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response)
			throws ServletException, IOException {
		// GET / predicts if it has a body, as the platform's Flask sample does.
		boolean isRoot = request.getServletPath().isEmpty();
		boolean isRootGet = isRoot && (request.getMethod().equals("GET") || request.getMethod().equals("HEAD"));
		if (isRootGet && !RequestBody.isPresent(request)) {
			getServletContext().getNamedDispatcher("dispatcherServlet").forward(request, response);
		}
		else if (isRootGet || request.getMethod().equals("POST")) {
			predict(request, response);
		}
		else {
			ErrorAnswer.notAllowed(request.getMethod(), isRoot ? "GET or POST" : "POST").send(request, response);
		}
	}

	private void predict(HttpServletRequest request, HttpServletResponse response) throws IOException {
		long arrivalNanos = System.nanoTime();
		// If an IOException leaves this method, the client has gone.
		Outcome outcome = Outcome.GONE;
		try (Reservation reservation = this.admission.admit(timeout(request))) {
			InferenceRequest inferenceRequest = read(request, reservation);
			Map<String, Tensor> outputs = this.admission.infer(inferenceRequest.inputs(), reservation,
					inferenceRequest.timeout(), HttpProtocol.clientGoneCheck(request), this::waitWithoutPermit);
			long writeStartNanos = System.nanoTime();
			send(inferenceRequest, outputs, request, response, reservation.deadline());
			this.statistics.record(Stage.WRITE, System.nanoTime() - writeStartNanos);
			outcome = Outcome.OK;
		}
		catch (RuntimeException | Error ex) {
			ErrorAnswer error = ErrorAnswer.of(ex);
			outcome = (ex instanceof Rejection rejection) ? Outcome.of(rejection)
					: (error.status() < 500) ? Outcome.INVALID : Outcome.FAILED;
			error.send(request, response);
		}
		catch (ClientAbortException ex) {
			// A timeout means that the deadline passed while the client read its answer.
			if (ex.getCause() instanceof SocketTimeoutException) {
				outcome = Outcome.LATE;
			}
			throw ex;
		}
		finally {
			this.statistics.record(Protocol.HTTP, outcome, System.nanoTime() - arrivalNanos);
		}
	}

	private InferenceRequest read(HttpServletRequest request, Reservation reservation) throws IOException {
		long startNanos = System.nanoTime();
		Signature signature = this.admission.metadata().signature();
		String jsonLengthHeader = request.getHeader(JSON_LENGTH_HEADER);
		byte[] body = new RequestBody(request, this.maxBodyBytes, reservation).readDecompressed();
		long decodedTextBytes = signature.hasTextInput() ? TEXT_MEMORY_FACTOR * body.length : 0;
		reservation.add(decodedTextBytes);
		RequestReader reader = new RequestReader(signature, allowedFormats(request), reservation::add);
		InferenceRequest inferenceRequest;
		try {
			inferenceRequest = reader.read(body, jsonLengthHeader);
		}
		finally {
			RequestId.setDefault(request, reader.id());
		}
		reservation.add(-decodedTextBytes);
		if (jsonLengthHeader == null) {
			// The tensors are copies, so the body is garbage from here on.
			reservation.add(-body.length);
		}
		this.statistics.record(Stage.READ, System.nanoTime() - startNanos);
		return inferenceRequest;
	}

	private void waitWithoutPermit(Runnable wait) {
		try (Wait _ = this.requestExecutor.beginWait()) {
			wait.run();
		}
	}

	private void send(InferenceRequest inferenceRequest, Map<String, Tensor> outputs, HttpServletRequest request,
			HttpServletResponse response, Deadline deadline) throws IOException {
		InferenceResponse answer = new InferenceResponse(this.modelProperties.name(), this.modelProperties.version(),
				inferenceRequest, outputs);
		// RequestValve has added an id from the header. Here the id may come from the
		// body.
		RequestId.addToAnswer(request, response);
		boolean hasBinaryOutputs = !inferenceRequest.binaryOutputs().isEmpty();
		response.setContentType(hasBinaryOutputs ? "application/octet-stream" : "application/json");
		if (hasBinaryOutputs) {
			long jsonLength = answer.jsonLength();
			response.setHeader(JSON_LENGTH_HEADER, Long.toString(jsonLength));
			response.setContentLengthLong(jsonLength + answer.binaryLength());
		}
		answer.writeTo(new AnswerStream(response.getOutputStream(), deadline, this.requestExecutor));
	}

	private static Set<BodyFormat> allowedFormats(HttpServletRequest request) {
		String path = request.getServletPath();
		if (path.startsWith("/v1/")) {
			return EnumSet.of(BodyFormat.ROWS, BodyFormat.COLUMNS);
		}
		return path.startsWith("/v2/") ? EnumSet.of(BodyFormat.OIP) : EnumSet.allOf(BodyFormat.class);
	}

	// The header is in milliseconds; 0 means no timeout, as in the parameter "timeout".
	private static @Nullable Duration timeout(HttpServletRequest request) {
		String header = Objects.requireNonNullElse(request.getHeader(TIMEOUT_HEADER), "0");
		long millis = RequestReader.parseLongOrMinusOne(header);
		InvalidRequestException.require(millis >= 0, "%s must be a number of milliseconds, 0 or more, not '%s'.",
				TIMEOUT_HEADER, header);
		return (millis > 0) ? Duration.ofMillis(millis) : null;
	}

}
