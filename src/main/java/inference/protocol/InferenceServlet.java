package inference.protocol;

import java.io.IOException;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import inference.admission.Admission;
import inference.health.Probe;
import inference.health.Probes;
import inference.health.Verdict;
import inference.model.ModelProperties;
import inference.model.Signature;
import inference.model.Tensor;

/**
 * Serves the root, the v1 paths of TensorFlow Serving and KServe, and the v2 paths of the
 * Open Inference Protocol. The content type does not matter: EAS clients send
 * {@code application/octet-stream} or none.
 */
final class InferenceServlet extends HttpServlet {

	private static final Set<Form> V1 = EnumSet.of(Form.ROWS, Form.COLUMNS);

	private static final Set<Form> OIP = EnumSet.of(Form.OIP);

	private static final Set<Form> ANY = EnumSet.allOf(Form.class);

	private final transient Admission admission;

	private final transient Probes probes;

	private final transient ModelProperties model;

	private final transient RequestBody body;

	private final transient Answers answers;

	private final String version;

	InferenceServlet(Admission admission, Probes probes, ModelProperties model, RequestProperties request,
			String version) {
		this.admission = admission;
		this.probes = probes;
		this.model = model;
		this.body = new RequestBody(request.maxSize().toBytes());
		this.answers = new Answers(model);
		this.version = version;
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
		Answer answer;
		try {
			answer = answer(request);
		}
		catch (RuntimeException | Error ex) {
			answer = Failures.answer(ex);
		}
		answer.send(response);
	}

	private Answer answer(HttpServletRequest request) throws IOException {
		String path = request.getServletPath() + ((request.getPathInfo() != null) ? request.getPathInfo() : "");
		Route route = Route.of(path);
		if (route == null) {
			throw RequestException.unknown("There is nothing at %s.".formatted(RequestException.excerpt(path)));
		}
		requireMethod(request, route);
		requireModel(route);
		return switch (route.operation()) {
			case ROOT -> root(request);
			case SERVER_METADATA -> this.answers.serverMetadata(this.version);
			case LIVE -> health(Probe.LIVENESS);
			case READY -> health(Probe.READINESS);
			case MODEL_METADATA -> this.answers.modelMetadata(this.admission.signature(), this.admission.platform());
			case MODEL_READY -> this.answers.modelReady(this.probes.ask(Probe.READINESS));
			case V1_STATUS -> this.answers.modelStatus(this.probes.ask(Probe.READINESS));
			case V1_PREDICT -> predict(request, V1);
			case OIP_INFER -> predict(request, OIP);
		};
	}

	private Answer root(HttpServletRequest request) throws IOException {
		boolean asks = request.getMethod().equals("POST") || RequestBody.isPresent(request);
		return asks ? predict(request, ANY) : this.answers.summary(this.probes.ask(Probe.READINESS));
	}

	private Answer health(Probe probe) {
		Verdict liveness = this.probes.ask(Probe.LIVENESS);
		Verdict readiness = this.probes.ask(Probe.READINESS);
		return this.answers.health(liveness, readiness, this.probes.ask(probe).passes());
	}

	private Answer predict(HttpServletRequest request, Set<Form> allowed) throws IOException {
		Signature signature = this.admission.enter();
		InferenceRequest inference = RequestReader.read(this.body.read(request), signature, allowed);
		return this.answers.prediction(inference, infer(inference));
	}

	private Map<String, Tensor> infer(InferenceRequest request) {
		try {
			return this.admission.infer(request.inputs());
		}
		catch (IllegalArgumentException ex) {
			throw RequestException.bad("The model cannot use the input: %s".formatted(ex.getMessage()));
		}
	}

	private static void requireMethod(HttpServletRequest request, Route route) {
		String method = request.getMethod();
		boolean read = method.equals("GET") || method.equals("HEAD");
		boolean allowed = switch (route.operation()) {
			case ROOT -> read || method.equals("POST");
			default -> route.operation().isRead() ? read : method.equals("POST");
		};
		if (!allowed) {
			throw RequestException.methodNotAllowed("%s is not allowed here: use %s."
				.formatted(RequestException.excerpt(method), route.operation().isRead() ? "GET" : "POST"));
		}
	}

	private void requireModel(Route route) {
		if (route.model() != null && !route.model().equals(this.model.name())) {
			throw RequestException.unknown("There is no model '%s'; this server serves '%s'."
				.formatted(RequestException.excerpt(route.model()), this.model.name()));
		}
		if (route.version() != null && !route.version().equals(this.model.version())) {
			throw RequestException.unknown("Model '%s' has no version '%s', only '%s'.".formatted(this.model.name(),
					RequestException.excerpt(route.version()), this.model.version()));
		}
	}

}
