package bench;

import java.util.List;

/**
 * What every client asks for again and again.
 */
enum Workload {

	IRIS_JSON("a flower, Open Inference Protocol, JSON", OnnxFile.IRIS, 1, 4, Form.JSON),

	IRIS_BINARY("a flower, Open Inference Protocol, bytes both ways", OnnxFile.IRIS, 1, 4, Form.BINARY),

	IRIS_ROWS("a flower, rows as TensorFlow Serving has them", OnnxFile.IRIS, 1, 4, Form.ROWS),

	MINILM_16("a text of 16 tokens, Open Inference Protocol, JSON", OnnxFile.MINILM, 1, 16, Form.JSON),

	MINILM_16_BINARY("a text of 16 tokens, Open Inference Protocol, bytes both ways", OnnxFile.MINILM, 1, 16,
			Form.BINARY),

	MINILM_32("a text of 32 tokens, Open Inference Protocol, JSON", OnnxFile.MINILM, 1, 32, Form.JSON),

	MINILM_16X8_BINARY("8 texts of 16 tokens, Open Inference Protocol, bytes both ways", OnnxFile.MINILM, 8, 16,
			Form.BINARY);

	private final String description;

	private final OnnxFile model;

	private final int rows;

	private final int columns;

	private final Form form;

	Workload(String description, OnnxFile model, int rows, int columns, Form form) {
		this.description = description;
		this.model = model;
		this.rows = rows;
		this.columns = columns;
		this.form = form;
	}

	String title() {
		return Options.name(this);
	}

	String description() {
		return this.description;
	}

	OnnxFile model() {
		return this.model;
	}

	List<Input> inputs() {
		return switch (this.model) {
			case IRIS -> Input.flowers(this.rows);
			case MINILM -> Input.texts(this.rows, this.columns);
		};
	}

	Request request() {
		return switch (this.form) {
			case JSON -> Request.oip(this.model, inputs());
			case BINARY -> Request.oipBinary(this.model, inputs());
			case ROWS -> Request.rows(this.model, inputs());
		};
	}

	boolean isOipJson() {
		return this.form == Form.JSON;
	}

	boolean isBinary() {
		return this.form == Form.BINARY;
	}

	/**
	 * Whether it is also sent at given rates, for which models that take microseconds,
	 * milliseconds and tens of them suffice.
	 */
	boolean atRates() {
		return this == IRIS_JSON || this == MINILM_16 || this == MINILM_16X8_BINARY;
	}

	private enum Form {

		JSON, BINARY, ROWS

	}

}
