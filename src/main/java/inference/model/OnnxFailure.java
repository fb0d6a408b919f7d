package inference.model;

import java.util.regex.Pattern;

import ai.onnxruntime.OrtException;

/**
 * Says what ONNX Runtime's failure to load or run a model means for the person who serves
 * it: the message without places in ONNX Runtime's source code, and what to do.
 */
final class OnnxFailure {

	// A source file with a line, and perhaps a function's signature behind it.
	private static final Pattern SOURCE = Pattern.compile("\\S+\\.(cc|h):\\d+ ([^\"]*?\\) (?=[A-Z]))?");

	private static final String NOT_ONNX = "Copy it again, whole: it is not an ONNX file, but cut short perhaps, or a Git LFS pointer.";

	private static final String CODE_END = " - message: ";

	private OnnxFailure() {
	}

	/** What went wrong, in one line without a full stop. */
	static String text(Exception failure) {
		String message = String.valueOf(failure.getMessage()).strip().replaceAll("\\s+", " ");
		int end = message.indexOf(CODE_END);
		String text = (end < 0) ? message : message.substring(end + CODE_END.length());
		text = SOURCE.matcher(text.replaceFirst("^Load model from .*? failed: ?", "")).replaceAll("");
		return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
	}

	/** What to do about a file that was not loaded. */
	static String action(Exception failure, String version) {
		String message = String.valueOf(failure.getMessage());
		if (message.contains("xternal data") || message.contains("external_data")
				|| message.contains("model_path must not be empty")) {
			return "Put the files with its weights beside it and mount both; inside the jar a model must be one file.";
		}
		if (message.contains("does not have a graph")) {
			return NOT_ONNX;
		}
		return switch ((failure instanceof OrtException ex) ? ex.getCode() : OrtException.OrtErrorCode.ORT_FAIL) {
			case ORT_INVALID_PROTOBUF, ORT_NO_MODEL -> NOT_ONNX;
			case ORT_RUNTIME_EXCEPTION -> "Give the process more memory, or quantise the model.";
			default -> "Export it again for ONNX Runtime %s, with standard operators of a version it knows."
				.formatted(version);
		};
	}

}
