package inference.protocol;

/**
 * The form of a prediction request, which its answer shares.
 */
enum Form {

	/** {@code {"instances": [row, …]}} to {@code {"predictions": [row, …]}}. */
	ROWS,

	/**
	 * {@code {"inputs": {name: tensor, …}}} to {@code {"outputs": {name: tensor, …}}}.
	 */
	COLUMNS,

	/** The Open Inference Protocol's list of named tensors, both ways. */
	OIP

}
