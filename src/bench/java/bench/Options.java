package bench;

import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * What to measure, and how long.
 *
 * @param rounds how often
 * @param seconds of each measurement
 * @param warmUp seconds of load before the first of a server's with this request
 */
record Options(int rounds, int seconds, int warmUp, Set<Part> parts, Set<Contender> contenders,
		Set<Workload> workloads) {

	private static final String USAGE = """
			Options, each with its default:
			  --parts comparison,rates of comparison,rates,growth,micro
			  --rounds 5
			  --seconds 5              of each measurement
			  --warm-up 20             seconds of load before the first one of a server
			  --contenders all         of %s
			  --workloads all          of %s""".formatted(names(Contender.class), names(Workload.class));

	/** What can be measured apart. */
	enum Part {

		COMPARISON, RATES, GROWTH, MICRO

	}

	/**
	 * Reads the options.
	 * @param line in pairs of name and value
	 * @throws IllegalArgumentException with what to say to the one who gave them
	 */
	static Options parse(String line) {
		String[] words = line.isBlank() ? new String[0] : line.strip().split(" +");
		Map<String, String> given = new HashMap<>();
		for (int i = 0; i < words.length; i += 2) {
			given.put(words[i], (i + 1 < words.length) ? words[i + 1] : "");
		}
		Options options = new Options(number(given.remove("--rounds"), 5), number(given.remove("--seconds"), 5),
				number(given.remove("--warm-up"), 20),
				some(given.remove("--parts"), EnumSet.of(Part.COMPARISON, Part.RATES)),
				some(given.remove("--contenders"), EnumSet.allOf(Contender.class)),
				some(given.remove("--workloads"), EnumSet.allOf(Workload.class)));
		if (!given.isEmpty()) {
			throw new IllegalArgumentException(USAGE);
		}
		return options;
	}

	private static int number(@Nullable String value, int otherwise) {
		if (value == null) {
			return otherwise;
		}
		if (!value.matches("[1-9][0-9]{0,3}")) {
			throw new IllegalArgumentException(USAGE);
		}
		return Integer.parseInt(value);
	}

	private static <E extends Enum<E>> Set<E> some(@Nullable String names, EnumSet<E> otherwise) {
		if (names == null) {
			return otherwise;
		}
		Set<String> wanted = Set.copyOf(List.of(names.split(",")));
		Class<E> type = otherwise.iterator().next().getDeclaringClass();
		EnumSet<E> some = EnumSet.allOf(type);
		some.removeIf((constant) -> !wanted.contains(name(constant)));
		if (some.size() != wanted.size()) {
			throw new IllegalArgumentException(USAGE);
		}
		return some;
	}

	private static String names(Class<? extends Enum<?>> type) {
		return String.join(",", Arrays.stream(type.getEnumConstants()).map(Options::name).toList());
	}

	/** An enum's constant, as it is written on the command line and in tables. */
	static String name(Enum<?> constant) {
		return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
	}

}
