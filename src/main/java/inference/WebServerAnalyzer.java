package inference;

import java.net.BindException;
import java.nio.file.FileSystemException;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.web.server.PortInUseException;
import org.springframework.boot.web.server.WebServerException;
import org.springframework.core.NestedExceptionUtils;

/**
 * Says what the web server lacks, where Spring Boot has only a stack trace: a directory
 * for temporary files, or the right to open its port.
 */
class WebServerAnalyzer extends AbstractFailureAnalyzer<WebServerException> {

	@Override
	protected @Nullable FailureAnalysis analyze(Throwable rootFailure, WebServerException cause) {
		Throwable root = NestedExceptionUtils.getMostSpecificCause(cause);
		String action = switch (root) {
			case BindException _ -> "Set server.port to a port above 1023, which needs no privilege.";
			case FileSystemException _ ->
				"Make that directory writable, in a container by mounting an empty one there, "
						+ "or name another in the environment: JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=...";
			default -> null;
		};
		if (action == null || cause instanceof PortInUseException) {
			return null;
		}
		return new FailureAnalysis("%s: %s.".formatted(cause.getMessage(), root), action, cause);
	}

}
