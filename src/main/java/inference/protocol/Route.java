package inference.protocol;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

/**
 * What a path asks for.
 *
 * @param operation what to do
 * @param model the model named in the path, or {@code null}
 * @param version the version named in the path, or {@code null}
 * @param label the version's label in the path, or {@code null}
 */
record Route(Operation operation, @Nullable String model, @Nullable String version, @Nullable String label) {

	/**
	 * Everything that is served, with the path that asks for it.
	 */
	enum Operation {

		ROOT("/?", "GET or POST"),

		OIP_INFER("/v2/models/{model}(?:/versions/{version})?/infer", "POST"),
		V1_PREDICT("/v1/models/{model}(?:/versions/{version}|/labels/{label})?:predict", "POST"),

		OIP_LIVE("/v2/health/live", "GET"), OIP_READY("/v2/health/ready", "GET"), OIP_SERVER("/v2/?", "GET"),
		// Before the model's own path, which would take "stats" for its name
		OIP_STATISTICS("/v2/models(?:/{model}(?:/versions/{version})?)?/stats", "GET"),
		OIP_MODEL("/v2/models/{model}(?:/versions/{version})?", "GET"),
		OIP_MODEL_READY("/v2/models/{model}(?:/versions/{version})?/ready", "GET"),

		V1_MODELS("/v1/models", "GET"), V1_STATUS("/v1/models/{model}(?:/versions/{version}|/labels/{label})?", "GET"),

		OPENAPI("/openapi.json", "GET");

		private final Pattern path;

		private final String methods;

		private final boolean read;

		private final boolean written;

		private final boolean model;

		private final boolean version;

		private final boolean label;

		// All that does not change is found out here, for requests pass by at a high
		// rate.
		Operation(String path, String methods) {
			this.read = methods.contains("GET");
			this.written = methods.contains("POST");
			this.model = path.contains("{model}");
			this.version = path.contains("{version}");
			this.label = path.contains("{label}");
			this.path = Pattern.compile(path.replaceAll("\\{(\\w+)}", "(?<$1>[^/:]+)"));
			this.methods = methods;
		}

		boolean allows(String method) {
			return switch (method) {
				case "GET", "HEAD" -> this.read;
				case "POST" -> this.written;
				default -> false;
			};
		}

		String methods() {
			return this.methods;
		}

	}

	/**
	 * The route of a path.
	 * @param path decoded, without the context path
	 * @return the route, or {@code null} if nothing is there
	 */
	static @Nullable Route of(String path) {
		for (Operation operation : Operation.values()) {
			Matcher matcher = operation.path.matcher(path);
			if (matcher.matches()) {
				return new Route(operation, operation.model ? matcher.group("model") : null,
						operation.version ? matcher.group("version") : null,
						operation.label ? matcher.group("label") : null);
			}
		}
		return null;
	}

}
