package inference.image;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

import inference.image.Kubelet.Answer;
import inference.image.Kubelet.Kind;
import inference.image.Service.Check;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.awaitility.Awaitility.await;

/**
 * What the platform makes of a server whose model misbehaves, and of one that is flooded:
 * restarts for the first, nothing at all for the second.
 */
@EnabledIf("inference.image.Image#isBuilt")
@Execution(ExecutionMode.CONCURRENT)
class ChaosIT {

	private static final Duration PATIENCE = Duration.ofMinutes(2);

	private static final int CLIENTS = 128;

	/** The service, asked for its readiness every second. */
	private final Service service = attentive();

	@Test
	void aHungModelIsRestarted() throws Exception {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withLiveness(every(this.service.liveness(), Duration.ofSeconds(1), 3));
		try (Container container = chaos(hasty, "hang", "INFERENCE_WATCHDOG_STUCKAFTER=3s");
				Kubelet kubelet = new Kubelet(container, hasty);
				HttpClient client = HttpClient.newHttpClient()) {
			await().atMost(PATIENCE).until(kubelet::ready);
			HttpResponse<String> late = client.send(predict(container, "/", "{\"instances\":[-1]}"),
					BodyHandlers.ofString());
			assertThat(late.statusCode()).isEqualTo(504);
			await().atMost(PATIENCE).until(() -> kubelet.restarts() == 1);
			assertThat(kubelet.history(Kind.LIVENESS)).filteredOn((answer) -> !answer.passed())
				.isNotEmpty()
				.allMatch((answer) -> answer.reason().contains("STUCK"));
			await().atMost(PATIENCE).until(kubelet::ready);
		}
	}

	@Test
	void aModelThatNeverLoadsIsRestartedWhenItsTimeIsUpAndNotBefore() {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withStartup(every(this.service.startup(), Duration.ofSeconds(1), 20));
		try (Container container = chaos(hasty, "load"); Kubelet kubelet = new Kubelet(container, hasty)) {
			await().atMost(PATIENCE).until(() -> kubelet.restarts() == 1);
			assertThat(kubelet.history(Kind.STARTUP)).noneMatch(Answer::passed).hasSizeGreaterThanOrEqualTo(20);
			assertThat(kubelet.history(Kind.LIVENESS)).as("not asked before the start has succeeded").isEmpty();
		}
	}

	// The startup check of service.json allows for 5 minutes. This test allows for 45 s,
	// unless -Dseconds=180 asks for the real times.
	@Test
	void aModelThatTakesThreeMinutesToLoadIsNeverKilled() {
		Integer real = Integer.getInteger("seconds");
		Service patient = (real != null) ? Service.read()
				: this.service.withStartup(every(this.service.startup(), Duration.ofSeconds(1), 45));
		int seconds = (real != null) ? real : 15;
		try (Container container = chaos(patient, "load", "CHAOS_SECONDS=" + seconds);
				Kubelet kubelet = new Kubelet(container, patient)) {
			await().atMost(PATIENCE.plusSeconds(seconds)).until(kubelet::ready);
			assertThat(kubelet.restarts()).isZero();
			assertThat(kubelet.history(Kind.STARTUP)).filteredOn((answer) -> !answer.passed())
				.isNotEmpty()
				.anyMatch((answer) -> answer.reason().contains("LOADING"));
		}
	}

	@Test
	void aModelThatCrashesTheProcessIsRestartedAndServesAgain() throws Exception {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withLiveness(every(this.service.liveness(), Duration.ofSeconds(1), 3));
		try (Container container = chaos(hasty, "crash");
				Kubelet kubelet = new Kubelet(container, hasty);
				HttpClient client = HttpClient.newHttpClient()) {
			for (int crashes = 1; crashes <= 2; crashes++) {
				int expected = crashes;
				await().atMost(PATIENCE).until(kubelet::ready);
				assertThatIOException().isThrownBy(
						() -> client.send(predict(container, "/", "{\"instances\":[-1]}"), BodyHandlers.ofString()));
				await().atMost(PATIENCE).until(() -> kubelet.restarts() == expected);
			}
			await().atMost(PATIENCE).until(kubelet::ready);
			HttpResponse<String> answer = client.send(predict(container, "/", "{\"instances\":[2]}"),
					BodyHandlers.ofString());
			assertThat(answer.body()).isEqualTo("{\"predictions\":[2.0]}");
		}
	}

	@Test
	void aModelThatCannotBeUsedEndsTheProcessWithTheReasonAtEveryStart() {
		try (Container container = chaos(this.service, "fail")) {
			for (int start = 1; start <= 2; start++) {
				await().atMost(PATIENCE).until(() -> !container.running());
				assertThat(container.inspect("{{.State.ExitCode}}")).isEqualTo("1");
				assertThat(container.logs().lines().toList().getLast())
					.contains("The model is beyond use. Bring another.");
				container.start();
			}
		}
	}

	@Test
	void anExhaustedHeapEndsTheProcessWithTheReasonInTheLog() throws Exception {
		try (Container container = chaos(this.service, "heap");
				Kubelet kubelet = new Kubelet(container, this.service);
				HttpClient client = HttpClient.newHttpClient()) {
			await().atMost(PATIENCE).until(kubelet::ready);
			assertThatIOException().isThrownBy(
					() -> client.send(predict(container, "/", "{\"instances\":[-1]}"), BodyHandlers.ofString()));
			await().atMost(PATIENCE).until(() -> container.logs().contains("The process ends"));
			assertThat(container.logs().lines().filter((line) -> line.contains("The process ends"))).singleElement()
				.satisfies((line) -> assertThat(line).startsWith("{").contains("out of memory", "\"ERROR\""));
		}
	}

	// The flood takes all CPUs, so no other test runs beside it.
	@Test
	@ResourceLock(Resources.GLOBAL)
	void aFloodedServerIsLeftAlone() throws Exception {
		Service watchful = this.service.withLiveness(every(this.service.liveness(), Duration.ofSeconds(1), 3));
		try (Container container = Container.run(watchful);
				Kubelet kubelet = new Kubelet(container, watchful);
				HttpClient client = HttpClient.newHttpClient();
				var executor = Executors.newVirtualThreadPerTaskExecutor()) {
			await().atMost(PATIENCE).until(kubelet::ready);
			HttpRequest request = predict(container, "/", "{\"instances\":[[6.8,2.8,4.8,1.4]]}");
			AtomicBoolean enough = new AtomicBoolean();
			ConcurrentSkipListSet<Integer> statuses = new ConcurrentSkipListSet<>();
			List<Future<?>> clients = new ArrayList<>();
			for (int i = 0; i < CLIENTS; i++) {
				clients.add(executor.submit(() -> {
					while (!enough.get()) {
						statuses.add(client.send(request, BodyHandlers.discarding()).statusCode());
					}
					return null;
				}));
			}
			int before = kubelet.history(Kind.LIVENESS).size();
			await().atMost(PATIENCE).until(() -> kubelet.history(Kind.LIVENESS).size() > before + 10);
			enough.set(true);
			for (Future<?> finished : clients) {
				finished.get();
			}
			assertThat(statuses).isSubsetOf(200, 400, 429, 504).doesNotContain(503);
			assertThat(kubelet.history(Kind.LIVENESS)).allMatch(Answer::passed);
			assertThat(kubelet.history(Kind.READINESS).stream().dropWhile((answer) -> !answer.passed()))
				.allMatch(Answer::passed);
			assertThat(kubelet.restarts()).isZero();
		}
	}

	// The image's own files, and the test's classes behind them.
	private static Container chaos(Service service, String chaos, String... variables) {
		List<String> options = new ArrayList<>(List.of("--env", "CHAOS=" + chaos, "--volume",
				Path.of("target/test-classes").toAbsolutePath() + ":/chaos:ro"));
		for (String variable : variables) {
			options.addAll(List.of("--env", variable));
		}
		return Container.run(service.withCommand(List.of("/opt/java/bin/java", "--enable-native-access=ALL-UNNAMED",
				"-cp", "/app/server.jar:/chaos", "inference.InferenceServer")), options.toArray(String[]::new));
	}

	private static HttpRequest predict(Container container, String path, String body) throws IOException {
		return HttpRequest.newBuilder(URI.create("http://%s:8000%s".formatted(container.address(), path)))
			.POST(BodyPublishers.ofString(body))
			.build();
	}

	private static Service attentive() {
		Service service = Service.read();
		return service.withReadiness(every(service.readiness(), Duration.ofSeconds(1), 3))
			.withStartup(every(service.startup(), Duration.ofSeconds(1), 300));
	}

	private static Check every(Check check, Duration period, int failures) {
		return new Check(check.method(), Duration.ZERO, period, check.timeout(), 1, failures);
	}

}
