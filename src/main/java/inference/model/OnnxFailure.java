package inference.model;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtException.OrtErrorCode;
import ai.onnxruntime.OrtSession;

/**
 * Turns ONNX Runtime's errors into sentences and exceptions of this server.
 */
final class OnnxFailure {

	// Matches a source file with a line number, such as "/onnx/checker.cc:1753 ", with or
	// without a function's signature behind it. Also matches the C++ library's message
	// about a missing locale.
	private static final Pattern MESSAGE_NOISE = Pattern
		.compile("\\S+\\.(cc|h):\\d+ ([^\"]*?\\)>? (?=[A-Z]))?|:locale::facet::\\S+ name not valid(?=:)");

	// After CUDA has reported one of these errors, every later call fails.
	private static final Pattern LOST_DEVICE_MESSAGE = Pattern.compile("illegal memory access|misaligned address"
			+ "|unspecified launch failure|illegal instruction|device-side assert|uncorrectable ECC"
			+ "|hardware stack error|CUDA_ERROR_(ILLEGAL_ADDRESS|LAUNCH_FAILED|ECC_UNCORRECTABLE|ASSERT)"
			+ "|cudaError(IllegalAddress|LaunchFailure|ECCUncorrectable|Assert)", Pattern.CASE_INSENSITIVE);

	// ONNX Runtime has no error code for a full arena, only these messages.
	private static final Pattern FULL_ARENA_MESSAGE = Pattern
		.compile("is smaller than requested bytes|Failed to allocate memory");

	// ONNX Runtime's messages if a tensor's size in bytes does not fit into 64 bits.
	private static final Pattern OVERFLOW_MESSAGE = Pattern.compile("Integer overflow|size overflowed");

	private OnnxFailure() {
	}

	/** The error's message in one line, without source positions or a final full stop. */
	static String cleanMessage(Exception failure) {
		String message = String.valueOf(failure.getMessage()).strip().replaceAll("\\s+", " ");
		String text = message.replaceFirst("^.*? - message: ", "")
			.replaceFirst("^.*\\[ONNXRuntimeError\\] : \\d+ : \\w+ : (GetExtDataFromTensorProto )?", "")
			.replaceFirst("^Load model from .*? failed: ?", "");
		text = MESSAGE_NOISE.matcher(text).replaceAll("");
		return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
	}

	/** Tells what to do about a file that cannot be loaded. */
	static String loadRemedy(Exception failure, List<String> sessionConfig) {
		String message = String.valueOf(failure.getMessage());
		OrtErrorCode code = (failure instanceof OrtException ex) ? ex.getCode() : OrtErrorCode.ORT_FAIL;
		if (message.contains("External initializer") && message.contains("out of bounds")) {
			return "Copy the files with its weights again, whole.";
		}
		if (message.contains("Permission denied")) {
			return "Let every user read the files with its weights (chmod a+r): onnx.save() gives them the mode 600.";
		}
		if (message.contains("escapes")) {
			return "Keep the model and the files with its weights in one directory. If they are links, all must lead to one directory.";
		}
		if (message.toLowerCase(Locale.ROOT).contains("external data") || message.contains("external_data")
				|| message.contains("model_path must not be empty") || message.contains("Is a directory")) {
			return "Put the files with its weights beside it and mount both; inside the jar a model must be one file.";
		}
		if (code == OrtErrorCode.ORT_INVALID_PROTOBUF || code == OrtErrorCode.ORT_NO_MODEL
				|| message.contains("does not have a graph") || message.contains("ORT model verification failed")) {
			return "Copy it again, whole: it is not an ONNX file. It may be cut short, in ORT format (then its name must end in .ort), or a Git LFS pointer.";
		}
		if (message.contains("locale")) {
			return "Export it again with locale='C' in its StringNormalizer, or install the locale that it asks for.";
		}
		if (message.contains("IR version")) {
			return "Export it again with ir_version=%s, or set that in the file with onnx.load and onnx.save."
				.formatted(message.replaceAll("(?s).*max supported IR version: (\\d+).*", "$1"));
		}
		if (message.contains("till opset")) {
			return "Export it again with operator set %s, or convert it with onnx.version_converter."
				.formatted(message.replaceAll("(?s).*is till opset (\\d+).*", "$1"));
		}
		if (message.contains("is not a registered function/op") || message.contains("No opset import for domain")) {
			return "Set inference.model.custom-operators to the library that has this operator, or export it again with standard operators.";
		}
		// ONNX Runtime detects some unusable options only when it creates the session,
		// and its message does not always name the option.
		String optionsRemedy = sessionConfig.isEmpty() ? ""
				: " Or correct inference.model.session-config, which is %s.".formatted(sessionConfig);
		if (code == OrtErrorCode.ORT_RUNTIME_EXCEPTION) {
			return "Give the process more memory, or quantise the model." + optionsRemedy;
		}
		return "Export it again for ONNX Runtime %s, with standard operators of a version it knows."
			.formatted(OrtEnvironment.getEnvironment().getVersion()) + optionsRemedy;
	}

	/** Describes why the inputs or outputs of a loaded model cannot be served. */
	static String signatureProblem(Exception failure, OrtSession session) {
		String text = cleanMessage(failure);
		if (!text.contains("Invalid ONNXType")) {
			return text;
		}
		String inputsOrOutputs;
		try {
			session.getInputInfo();
			inputsOrOutputs = "outputs " + session.getOutputNames();
		}
		catch (OrtException ex) {
			inputsOrOutputs = "inputs " + session.getInputNames();
		}
		return "one of the %s has an optional or a sparse type; give it a tensor's type".formatted(inputsOrOutputs);
	}

	/**
	 * The exception for a call that failed. ONNX Runtime's error "invalid argument" means
	 * a mistake of the client. The inputs have the right types and shapes, but the model
	 * cannot use one of their values or variable sizes.
	 */
	static RuntimeException callException(OrtException failure) {
		String text = cleanMessage(failure);
		if (isArenaFull(failure) || OVERFLOW_MESSAGE.matcher(text).find()) {
			return new InsufficientMemoryException(text, failure);
		}
		if (failure.getCode() == OrtErrorCode.ORT_INVALID_ARGUMENT) {
			return new IllegalArgumentException(text, failure);
		}
		if (LOST_DEVICE_MESSAGE.matcher(text).find()) {
			return new DeviceLostException(text, failure);
		}
		// Clients can cause the failure of a call often, and a stack trace of this
		// server does not tell the reason.
		IllegalStateException callFailure = new IllegalStateException(text);
		callFailure.setStackTrace(new StackTraceElement[0]);
		return callFailure;
	}

	/** Whether a tensor did not fit into the memory that calls can take. */
	static boolean isArenaFull(OrtException failure) {
		return FULL_ARENA_MESSAGE.matcher(String.valueOf(failure.getMessage())).find();
	}

}
