package bench;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.Semaphore;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;

import org.springframework.boot.tomcat.servlet.TomcatServletWebServerFactory;

/**
 * As little as a servlet can do that runs a model: reads the body, and whatever it says,
 * runs the model with the workload's tensors, as many calls at once as this server lets
 * in, and answers with the bytes of the first output.
 */
final class ModelServlet extends HttpServlet {

	private final transient Map<Workload, PlainModel> models;

	private final transient Semaphore slots = new Semaphore(Runtime.getRuntime().availableProcessors() + 1, true);

	private ModelServlet(Map<Workload, PlainModel> models) {
		this.models = models;
	}

	/** Takes the model. */
	public static void main(String[] args) throws OrtException {
		OnnxFile file = OnnxFile.valueOf(args[0]);
		OrtSession session = PlainModel.load(file, PlainModel.AS_SERVED);
		Map<Workload, PlainModel> models = new EnumMap<>(Workload.class);
		for (Workload workload : Workload.values()) {
			if (workload.model() == file) {
				models.put(workload, PlainModel.of(session, workload));
			}
		}
		new TomcatServletWebServerFactory(Integer.parseInt(System.getenv("SERVER_PORT")))
			.getWebServer((context) -> context.addServlet("model", new ModelServlet(models)).addMapping("/*"))
			.start();
	}

	@Override
	protected void doPost(HttpServletRequest request, HttpServletResponse response) throws IOException {
		request.getInputStream().transferTo(OutputStream.nullOutputStream());
		byte[] answer = run(Workload.valueOf(request.getRequestURI().substring(1)));
		response.setContentType("application/octet-stream");
		response.setContentLength(answer.length);
		response.getOutputStream().write(answer);
	}

	private byte[] run(Workload workload) {
		PlainModel model = this.models.get(workload);
		if (model == null) {
			throw new IllegalArgumentException("Not of this model: " + workload);
		}
		this.slots.acquireUninterruptibly();
		try (OrtSession.Result outputs = model.run()) {
			ByteBuffer bytes = ((OnnxTensor) outputs.get(0)).getByteBuffer();
			byte[] answer = new byte[bytes.remaining()];
			bytes.get(answer);
			return answer;
		}
		catch (OrtException ex) {
			throw new IllegalStateException(ex);
		}
		finally {
			this.slots.release();
		}
	}

}
