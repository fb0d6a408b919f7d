package bench;

import java.nio.file.Path;

/**
 * A model to be served.
 */
enum OnnxFile {

	/** The one in the jar: next to no work. */
	IRIS("src/main/resources/model.onnx", "versicolor"),

	/** all-MiniLM-L6-v2, quantised: six layers of a transformer. */
	MINILM("target/bench/all-minilm-l6-v2-q.onnx", "last_hidden_state");

	private final String path;

	private final String expected;

	OnnxFile(String path, String expected) {
		this.path = path;
		this.expected = expected;
	}

	String title() {
		return Options.name(this);
	}

	String location() {
		return Path.of(this.path).toAbsolutePath().toString();
	}

	/** What every right answer contains. */
	String expected() {
		return this.expected;
	}

}
