package inference.protocol;

import java.util.List;
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

		Operation(String path, String methods) {
			this.path = Pattern.compile(path.replaceAll("\\{(\\w+)}", "(?<$1>[^/:]+)"));
			this.methods = methods;
		}

		boolean allows(String method) {
			return List.of(this.methods.split(" or ")).contains(method.equals("HEAD") ? "GET" : method);
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
				return new Route(operation, group(matcher, "model"), group(matcher, "version"),
						group(matcher, "label"));
			}
		}
		return null;
	}

	private static @Nullable String group(Matcher matcher, String name) {
		return matcher.namedGroups().containsKey(name) ? matcher.group(name) : null;
	}

}
