package inference.model;

import java.util.regex.Pattern;

import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;

/**
 * Turns ONNX Runtime's errors into sentences and exceptions of this server.
 */
final class OnnxFailure {

	// A source file with a line number, and possibly a function's signature after it.
	private static final Pattern SOURCE = Pattern.compile("\\S+\\.(cc|h):\\d+ ([^\"]*?\\) (?=[A-Z]))?");

	// CUDA's messages after which every later call fails.
	private static final Pattern LOST_DEVICE = Pattern.compile("illegal memory access|misaligned address"
			+ "|unspecified launch failure|illegal instruction|device-side assert|uncorrectable ECC"
			+ "|hardware stack error|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE|ASSERT)"
			+ "|cudaError(IllegalAddress|LaunchFailure|ECCUncorrectable|Assert)", Pattern.CASE_INSENSITIVE);

	private static final String CODE_END = " - message: ";

	private OnnxFailure() {
	}

	/** The error's message in one line, without source code positions and full stop. */
	static String text(Exception failure) {
		String message = String.valueOf(failure.getMessage()).strip().replaceAll("\\s+", " ");
		int end = message.indexOf(CODE_END);
		String text = (end < 0) ? message : message.substring(end + CODE_END.length());
		text = SOURCE.matcher(text.replaceFirst("^Load model from .*? failed: ?", "")).replaceAll("");
		return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
	}

	/** The remedy for a file that cannot be loaded. */
	static String loadRemedy(Exception failure, String version) {
		String message = String.valueOf(failure.getMessage());
		OrtErrorCode code = (failure instanceof OrtException ex) ? ex.getCode() : OrtErrorCode.ORT_FAIL;
		if (message.contains("xternal data") || message.contains("external_data")
				|| message.contains("model_path must not be empty")) {
			return "Put the files with its weights beside it and mount both; inside the jar a model must be one file.";
		}
		if (code == OrtErrorCode.ORT_INVALID_PROTOBUF || code == OrtErrorCode.ORT_NO_MODEL
				|| message.contains("does not have a graph")) {
			return "Copy it again, whole: it is not an ONNX file, but cut short perhaps, or a Git LFS pointer.";
		}
		if (code == OrtErrorCode.ORT_RUNTIME_EXCEPTION) {
			return "Give the process more memory, or quantise the model.";
		}
		return "Export it again for ONNX Runtime %s, with standard operators of a version it knows.".formatted(version);
	}

	/**
	 * The exception for a call that failed. Names, types and shapes were checked before,
	 * so an invalid argument is an unusable value or inner dimension of the input.
	 */
	static RuntimeException ofCall(OrtException failure) {
		String text = text(failure);
		if (failure.getCode() == OrtErrorCode.ORT_INVALID_ARGUMENT) {
			return new IllegalArgumentException(text, failure);
		}
		return LOST_DEVICE.matcher(text).find() ? new DeviceLostException(text, failure)
				: new IllegalStateException(text, failure);
	}

}
