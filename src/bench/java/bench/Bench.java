package bench;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The benchmark's entry point, called by {@code src/bench/run}.
 */
final class Bench {

	private Bench() {
	}

	/** Takes the options, all in one. */
	public static void main(String[] args) throws Exception {
		Options options;
		try {
			options = Options.parse(String.join(" ", args));
		}
		catch (IllegalArgumentException ex) {
			System.err.println(ex.getMessage());
			System.exit(2);
			return;
		}
		Files.createDirectories(Path.of("target/bench"));
		for (Options.Part part : options.parts()) {
			switch (part) {
				case COMPARISON -> new Comparison(options).run();
				case RATES -> new Rates(options).run();
				case GROWTH -> new Growth(options).run();
				case MICRO -> new Micro(options).run();
			}
		}
	}

}
