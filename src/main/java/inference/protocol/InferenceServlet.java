package inference.protocol;

import java.io.IOException;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import jakarta.servlet.ServletInputStream;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import inference.admission.Admission;
import inference.admission.Deadline;
import inference.admission.Pause;
import inference.admission.RequestThreads;
import inference.admission.Statistics;
import inference.admission.Statistics.Stage;
import inference.admission.Ticket;
import inference.health.Probe;
import inference.health.Probes;
import inference.model.ModelProperties;
import inference.model.Tensor;
import inference.protocol.InferenceRequest.Form;
import inference.protocol.Route.Operation;

/**
 * Serves the root, the v1 paths of TensorFlow Serving and KServe, and the v2 paths of the
 * Open Inference Protocol. The content type does not matter: EAS clients send
 * {@code application/octet-stream} or none.
 */
final class InferenceServlet extends HttpServlet {

	private static final Set<Form> V1 = EnumSet.of(Form.ROWS, Form.COLUMNS);

	private static final Set<Form> OIP = EnumSet.of(Form.OIP);

	private static final Set<Form> ANY = EnumSet.allOf(Form.class);

	// The one version there is goes by the label that TensorFlow Serving's users expect.
	private static final String LABEL = "stable";

	// In bytes: what the system takes for a client at once.
	private static final long SMALL = 64 * 1024;

	private final transient Admission admission;

	private final transient Statistics statistics;

	private final transient RequestThreads threads;

	private final transient Probes probes;

	private final transient ModelProperties model;

	private final transient Descriptions descriptions;

	private final transient Predictions predictions;

	private final transient Console console;

	private final long maxSize;

	// By path, of this model alone and so not many: to match each request anew takes
	// longer than to read it.
	private final transient Map<String, Route> routes = new ConcurrentHashMap<>();

	InferenceServlet(Admission admission, Statistics statistics, RequestThreads threads, Probes probes,
			ModelProperties model, RequestProperties request, Console console, String version) {
		this.admission = admission;
		this.statistics = statistics;
		this.threads = threads;
		this.probes = probes;
		this.model = model;
		this.maxSize = request.maxSize().toBytes();
		this.descriptions = new Descriptions(model, version);
		this.predictions = new Predictions(model);
		this.console = console;
	}

	@Override
	protected void service(HttpServletRequest request, HttpServletResponse response) throws IOException {
		try {
			String path = request.getServletPath() + ((request.getPathInfo() != null) ? request.getPathInfo() : "");
			Route route = this.routes.get(path);
			if (route == null) {
				route = route(path);
				this.routes.put(path, route);
			}
			if (!route.operation().allows(request.getMethod())) {
				response.setHeader("Allow",
						route.operation().methods().replace("GET", "GET, HEAD").replace(" or ", ", "));
				throw RequestException.methodNotAllowed("%s is not allowed here: use %s."
					.formatted(RequestException.excerpt(request.getMethod()), route.operation().methods()));
			}
			serve(route, request, response);
		}
		catch (RuntimeException ex) {
			Failures.answer(ex).send(request, response);
			retireFromUnread(request);
		}
	}

	private void serve(Route route, HttpServletRequest request, HttpServletResponse response) throws IOException {
		switch (route.operation()) {
			case ROOT -> {
				if (request.getMethod().equals("POST") || RequestBody.isPresent(request)) {
					predict(request, response, ANY);
				}
				else if (!this.console.answers(request, response)) {
					this.descriptions
						.summary(this.probes.ask(Probe.STARTUP), this.probes.ask(Probe.LIVENESS),
								this.probes.ask(Probe.READINESS))
						.send(request, response);
				}
			}
			case V1_PREDICT -> predict(request, response, V1);
			case OIP_INFER -> predict(request, response, OIP);
			default -> describe(route.operation()).send(request, response);
		}
	}

	private Answer describe(Operation operation) throws IOException {
		return switch (operation) {
			case V1_MODELS -> this.descriptions.models();
			case V1_STATUS -> this.descriptions.modelStatus(this.probes.ask(Probe.READINESS));
			case OIP_SERVER -> this.descriptions.server();
			case OIP_LIVE -> health(Probe.LIVENESS);
			case OIP_READY -> health(Probe.READINESS);
			case OIP_MODEL -> this.descriptions.model(this.admission.metadata());
			case OIP_MODEL_READY -> this.descriptions.modelReady(this.probes.ask(Probe.READINESS));
			case OIP_STATISTICS -> this.descriptions.statistics(this.statistics);
			case OPENAPI -> this.descriptions.openApi();
			case ROOT, V1_PREDICT, OIP_INFER -> throw new IllegalStateException("not a description. This is a bug.");
		};
	}

	private Answer health(Probe probe) {
		return this.descriptions.health(this.probes.ask(probe), this.probes.ask(Probe.LIVENESS),
				this.probes.ask(Probe.READINESS));
	}

	private void predict(HttpServletRequest request, HttpServletResponse response, Set<Form> allowed)
			throws IOException {
		Exchange exchange = new Exchange(request, response, this.statistics);
		Answer answer;
		try {
			answer = run(request, exchange, allowed);
		}
		catch (RuntimeException | Error ex) {
			answer = Failures.answer(ex);
			retireFromUnread(request);
		}
		if (answer.length() <= SMALL) {
			exchange.answer(answer);
			return;
		}
		try (Pause _ = this.threads.pause()) {
			exchange.answer(answer);
		}
	}

	// Tomcat reads what is left of a body, to find the next request behind it.
	private void retireFromUnread(HttpServletRequest request) throws IOException {
		ServletInputStream body = request.getInputStream();
		if (!body.isFinished() && body.available() == 0) {
			this.threads.retire();
		}
	}

	private Answer run(HttpServletRequest request, Exchange exchange, Set<Form> allowed) throws IOException {
		try (Ticket ticket = this.admission.enter(exchange.arrived(), Patience.of(request))) {
			long start = System.nanoTime();
			InferenceRequest inference = new RequestReader(this.admission.metadata().signature(), allowed).read(
					RequestBody.of(request, this.maxSize, ticket::fill, this.threads),
					request.getHeader("Inference-Header-Content-Length"));
			this.statistics.record(Stage.READ, System.nanoTime() - start);
			RequestId.suggest(request, inference.id());
			Duration wanted = inference.timeout();
			Deadline deadline = (wanted != null) ? ticket.deadline().within(wanted) : ticket.deadline();
			Map<String, Tensor> outputs = infer(inference, deadline, exchange);
			long ran = System.nanoTime();
			Answer answer = this.predictions.answer(inference, outputs);
			this.statistics.record(Stage.WRITE, System.nanoTime() - ran);
			return answer;
		}
	}

	private Map<String, Tensor> infer(InferenceRequest request, Deadline deadline, Exchange exchange) {
		try {
			return this.admission.infer(request.inputs(), deadline, exchange);
		}
		catch (IllegalArgumentException ex) {
			throw RequestException.bad("The model cannot use the input: %s.".formatted(ex.getMessage()));
		}
	}

	private Route route(String path) {
		Route route = Route.of(path);
		if (route == null) {
			throw RequestException.unknown("There is nothing at %s.".formatted(RequestException.excerpt(path)));
		}
		if (route.model() != null && !route.model().equals(this.model.name())) {
			throw RequestException.unknown("There is no model '%s'; this server serves '%s'."
				.formatted(RequestException.excerpt(route.model()), this.model.name()));
		}
		if (route.version() != null && !route.version().equals(this.model.version())) {
			throw RequestException.unknown("Model '%s' has no version '%s', only '%s'.".formatted(this.model.name(),
					RequestException.excerpt(route.version()), this.model.version()));
		}
		if (route.label() != null && !route.label().equals(LABEL)) {
			throw RequestException.unknown("Model '%s' has no version labelled '%s', only '%s'."
				.formatted(this.model.name(), RequestException.excerpt(route.label()), LABEL));
		}
		return route;
	}

}
