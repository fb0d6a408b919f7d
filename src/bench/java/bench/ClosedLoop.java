package bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Load of clients that wait for each answer before they ask again, by wrk.
 */
final class ClosedLoop {

	static final int CONNECTIONS = 32;

	private ClosedLoop() {
	}

	/**
	 * Measures a server.
	 * @param prefix what the command is put behind, such as a choice of CPUs
	 */
	static Figures run(int port, Request request, int connections, int seconds, String... prefix)
			throws IOException, InterruptedException {
		Path body = Files.write(Path.of("target/bench/body"), request.body());
		Map<String, String> environment = new HashMap<>(Map.of("BENCH_BODY", body.toString()));
		if (request.jsonLength() > 0) {
			environment.put("BENCH_JSON_LENGTH", String.valueOf(request.jsonLength()));
		}
		List<String> command = Commands.join(List.of(prefix), "wrk", "--threads", "1", "--connections",
				String.valueOf(connections), "--duration", seconds + "s", "--timeout", "10s", "--latency", "--script",
				"src/bench/wrk.lua", "http://127.0.0.1:%d%s".formatted(port, request.path()));
		return Figures.parse(Commands.output(command, environment));
	}

}
