package inference.model;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * Puts what ONNX Runtime says of a model into words for those who serve it: without the
 * places in its own source, and with what to do about it.
 */
final class OnnxFailure {

	private static final Pattern CODE = Pattern
		.compile("^Error code - \\w+ - message: (Load model from .*? failed: ?)?");

	// A file, a line, and perhaps the function's signature, which ends in a parenthesis
	private static final Pattern SOURCE = Pattern.compile("\\S+\\.(cc|h):\\d+ ([^\"]*?\\) (?=[A-Z]))?");

	private static final Map<Pattern, String> ACTIONS = actions();

	private OnnxFailure() {
	}

	/**
	 * What went wrong, in one line without a full stop.
	 */
	static String text(Exception failure) {
		String message = String.valueOf(failure.getMessage()).strip().replaceAll("\\s+", " ");
		String text = SOURCE.matcher(CODE.matcher(message).replaceFirst("")).replaceAll("");
		return text.endsWith(".") ? text.substring(0, text.length() - 1) : text;
	}

	/**
	 * What to do about a file that was not loaded.
	 */
	static String action(Exception failure, String version) {
		String message = String.valueOf(failure.getMessage());
		return ACTIONS.entrySet()
			.stream()
			.filter((action) -> action.getKey().matcher(message).find())
			.map(Map.Entry::getValue)
			.findFirst()
			.orElse("Export it again for ONNX Runtime %s.")
			.formatted(version);
	}

	private static Map<Pattern, String> actions() {
		Map<Pattern, String> actions = new LinkedHashMap<>();
		actions.put(Pattern.compile("INVALID_PROTOBUF|NO_MODEL|ModelProto does not have a graph"),
				"Copy it again, whole: it is not an ONNX file, but cut short perhaps, or a Git LFS pointer.");
		actions.put(Pattern.compile("External data|external_data|model_path must not be empty"),
				"Put the files with its weights beside it and mount both; inside the jar a model must be one file.");
		actions.put(Pattern.compile("bad_alloc|[Ff]ailed to allocate|out of memory"),
				"Give the process more memory, or quantise the model.");
		actions.put(Pattern.compile("IR version|opset|No Op registered|not a registered function|NOT_IMPLEMENTED"),
				"Export it again for ONNX Runtime %s, with standard operators of a version it knows.");
		return actions;
	}

}
