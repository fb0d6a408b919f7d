package inference.model;

import java.util.Map;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession.RunOptions;

/**
 * One call, as long as it can be ended from another thread.
 */
final class OnnxRun implements AutoCloseable {

	private final Map<Thread, OnnxRun> runs;

	private final RunOptions options = new RunOptions();

	private boolean closed;

	OnnxRun(Map<Thread, OnnxRun> runs) throws OrtException {
		this.runs = runs;
		runs.put(Thread.currentThread(), this);
	}

	RunOptions options() {
		return this.options;
	}

	synchronized void terminate() {
		try {
			if (!this.closed) {
				this.options.setTerminate(true);
			}
		}
		catch (OrtException ex) {
			throw new IllegalStateException("ONNX Runtime refused to end a call", ex);
		}
	}

	@Override
	public synchronized void close() {
		this.runs.remove(Thread.currentThread());
		this.closed = true;
		this.options.close();
	}

}
