package bench;

import java.io.IOException;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import bench.contender.BareServlet;
import bench.contender.NaiveService;

/**
 * Who is measured.
 */
enum Contender {

	SERVER("this server"),

	NAIVE("Spring MVC and ONNX Runtime, naive"),

	NAIVE_VIRTUAL("the same on virtual threads"),

	SERVLET("servlet, constant answer"),

	MODEL_SERVLET("servlet, the model, its bytes"),

	FLASK("Flask, constant answer"),

	ONNX_RUNTIME("ONNX Runtime without HTTP"),

	ONNX_RUNTIME_DEFAULT("ONNX Runtime at its defaults, without HTTP");

	private final String title;

	Contender(String title) {
		this.title = title;
	}

	String title() {
		return this.title;
	}

	boolean does(Workload workload) {
		return switch (this) {
			case SERVER -> true;
			case NAIVE, NAIVE_VIRTUAL -> workload.isOipJson();
			case ONNX_RUNTIME, ONNX_RUNTIME_DEFAULT -> workload.isOipJson() || workload == Workload.MINILM_16X8_BINARY;
			case SERVLET, FLASK -> workload == Workload.IRIS_JSON;
			case MODEL_SERVLET -> workload.isBinary() && workload.model() == OnnxFile.MINILM;
		};
	}

	boolean isServer() {
		return this != ONNX_RUNTIME && this != ONNX_RUNTIME_DEFAULT;
	}

	/** ONNX Runtime's session configuration, of who runs the model in a loop. */
	Map<String, String> sessionConfig() {
		return (this == ONNX_RUNTIME) ? PlainModel.AS_SERVED : Map.of();
	}

	boolean servesModels() {
		return this != SERVLET && this != FLASK && this != MODEL_SERVLET;
	}

	/** What Debian calls what is missing here, or {@code null} if nothing is. */
	@Nullable String missing() throws IOException, InterruptedException {
		if (isServer() && !Commands.succeeds("sh", "-c", "command -v wrk")) {
			return "wrk";
		}
		return (this == FLASK && !Commands.succeeds("sh", "-c", String.join(" ", gunicorn()) + " --check-config"))
				? "gunicorn and python3-flask" : null;
	}

	/** The request, as this one takes it. */
	Request request(Workload workload) {
		return switch (this) {
			case FLASK -> workload.request().at("/");
			case MODEL_SERVLET -> workload.request().at("/" + workload.name());
			default -> workload.request();
		};
	}

	/** What an answer to it contains. */
	String expected(OnnxFile model) {
		return servesModels() ? model.expected() : "";
	}

	List<String> command(OnnxFile model, int port) throws IOException {
		return switch (this) {
			case SERVER -> Commands.java(Commands.serverOptions(), "-jar", "target/inference-server.jar");
			case NAIVE, NAIVE_VIRTUAL -> Commands.java(List.of(), NaiveService.class.getName());
			case SERVLET -> Commands.java(Commands.serverOptions(), BareServlet.class.getName());
			case MODEL_SERVLET -> Commands.java(Commands.serverOptions(), ModelServlet.class.getName(), model.name());
			case FLASK -> Commands.join(gunicorn(), "--workers", "2", "--bind", "127.0.0.1:" + port);
			case ONNX_RUNTIME, ONNX_RUNTIME_DEFAULT -> throw new IllegalStateException("no server");
		};
	}

	Map<String, String> environment(OnnxFile model, int port) throws IOException {
		Map<String, String> environment = Commands.environment();
		environment.put("SERVER_PORT", String.valueOf(port));
		environment.put("SERVER_ADDRESS", "127.0.0.1");
		switch (this) {
			case SERVER -> {
				environment.put("INFERENCE_MODEL_NAME", model.title());
				environment.put("INFERENCE_MODEL_LOCATION", model.location());
			}
			case NAIVE_VIRTUAL -> {
				environment.put("MODEL_LOCATION", model.location());
				environment.put("SPRING_THREADS_VIRTUAL_ENABLED", "true");
			}
			case NAIVE -> environment.put("MODEL_LOCATION", model.location());
			case SERVLET, MODEL_SERVLET, FLASK, ONNX_RUNTIME, ONNX_RUNTIME_DEFAULT -> {
			}
		}
		return environment;
	}

	private static List<String> gunicorn() {
		return List.of("gunicorn", "--chdir", "src/bench/flask", "constant:app");
	}

}
