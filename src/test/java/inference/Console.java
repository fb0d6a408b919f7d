package inference;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The console of the build. What tests write to the standard streams goes to files.
 */
public final class Console {

	private static final Set<String> printed = ConcurrentHashMap.newKeySet();

	private Console() {
	}

	/** Prints a sentence once, however often it is given. */
	public static void print(String sentence) {
		if (printed.add(sentence)) {
			new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8).println(sentence);
		}
	}

}
