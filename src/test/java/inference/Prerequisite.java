package inference;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;

/**
 * Something that test classes need and that is not on every machine, such as a browser.
 */
public final class Prerequisite {

	private static final Set<String> printed = ConcurrentHashMap.newKeySet();

	private Prerequisite() {
	}

	/**
	 * Whether a test class can run. If not, the build's console says so once. A build
	 * server must not pass because it tested nothing, so there the class fails.
	 * @param missing what is missing and how to get it, or {@code null}
	 */
	public static boolean isMet(@Nullable String missing) {
		if (missing == null) {
			return true;
		}
		if ("true".equals(System.getenv("CI"))) {
			throw new IllegalStateException(missing);
		}
		if (printed.add(missing)) {
			// What tests write to System.err goes to files.
			new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8).println(missing);
		}
		return false;
	}

}
