package inference.protocol;

import org.jspecify.annotations.Nullable;

/**
 * What a path asks for.
 *
 * @param operation what to do
 * @param model the model named in the path, or {@code null}
 * @param version the version named in the path, or {@code null}
 */
record Route(Operation operation, @Nullable String model, @Nullable String version) {

	enum Operation {

		ROOT, SERVER_METADATA, LIVE, READY, MODEL_METADATA, MODEL_READY, OIP_INFER, V1_STATUS, V1_PREDICT;

		boolean isRead() {
			return switch (this) {
				case SERVER_METADATA, LIVE, READY, MODEL_METADATA, MODEL_READY, V1_STATUS -> true;
				case ROOT, OIP_INFER, V1_PREDICT -> false;
			};
		}

	}

	/**
	 * The route of a path.
	 * @param path decoded, without the context path
	 * @return the route, or {@code null} if nothing is there
	 */
	static @Nullable Route of(String path) {
		String[] parts = path.substring(Math.min(1, path.length())).split("/");
		return switch (parts[0]) {
			case "" -> (parts.length == 1) ? new Route(Operation.ROOT, null, null) : null;
			case "v1" -> v1(parts);
			case "v2" -> v2(parts);
			default -> null;
		};
	}

	// /v1/models/{name}[/versions/{version}][:predict]
	private static @Nullable Route v1(String[] parts) {
		boolean versioned = parts.length == 5 && parts[3].equals("versions");
		if (parts.length < 3 || !parts[1].equals("models") || (parts.length != 3 && !versioned)) {
			return null;
		}
		String last = parts[parts.length - 1];
		int colon = last.lastIndexOf(':');
		String verb = (colon >= 0) ? last.substring(colon + 1) : "";
		String name = (colon >= 0) ? last.substring(0, colon) : last;
		Operation operation = switch (verb) {
			case "" -> Operation.V1_STATUS;
			case "predict" -> Operation.V1_PREDICT;
			default -> null;
		};
		if (operation == null) {
			return null;
		}
		return versioned ? new Route(operation, parts[2], name) : new Route(operation, name, null);
	}

	private static @Nullable Route v2(String[] parts) {
		if (parts.length == 1) {
			return new Route(Operation.SERVER_METADATA, null, null);
		}
		return switch (parts[1]) {
			case "health" -> v2Health(parts);
			case "models" -> v2Model(parts);
			default -> null;
		};
	}

	private static @Nullable Route v2Health(String[] parts) {
		if (parts.length != 3) {
			return null;
		}
		return switch (parts[2]) {
			case "live" -> new Route(Operation.LIVE, null, null);
			case "ready" -> new Route(Operation.READY, null, null);
			default -> null;
		};
	}

	// /v2/models/{name}[/versions/{version}][/ready|/infer]
	private static @Nullable Route v2Model(String[] parts) {
		boolean versioned = parts.length >= 5 && parts[3].equals("versions");
		String version = versioned ? parts[4] : null;
		int verb = versioned ? 5 : 3;
		if (parts.length < 3 || parts.length > verb + 1) {
			return null;
		}
		if (parts.length == verb) {
			return new Route(Operation.MODEL_METADATA, parts[2], version);
		}
		return switch (parts[verb]) {
			case "ready" -> new Route(Operation.MODEL_READY, parts[2], version);
			case "infer" -> new Route(Operation.OIP_INFER, parts[2], version);
			default -> null;
		};
	}

}
