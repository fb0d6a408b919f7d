package inference.image;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

import inference.image.Kubelet.Answer;
import inference.image.Kubelet.Kind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.awaitility.Awaitility.await;

/**
 * What the platform does with a server whose model hangs, crashes or loads slowly.
 */
@EnabledIf("inference.image.Image#isBuilt")
@Execution(ExecutionMode.CONCURRENT)
class ChaosIT {

	private static final Duration TIMEOUT = Duration.ofMinutes(2);

	/** The service, asked for its readiness every second. */
	private final Service service = attentive();

	@Test
	void aHungModelIsRestarted() throws Exception {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withLiveness(this.service.liveness().everySecond(3));
		try (Container container = chaos(hasty, "hang", "INFERENCE_WATCHDOG_STUCKAFTER=3s");
				Kubelet kubelet = new Kubelet(container, hasty);
				HttpClient client = HttpClient.newHttpClient()) {
			await().atMost(TIMEOUT).until(kubelet::ready);
			HttpResponse<String> late = client.send(predict(container, "/", "{\"instances\":[-1]}"),
					BodyHandlers.ofString());
			assertThat(late.statusCode()).isEqualTo(504);
			await().atMost(TIMEOUT).until(() -> kubelet.restarts() == 1);
			assertThat(kubelet.history(Kind.LIVENESS)).filteredOn((answer) -> !answer.passed())
				.isNotEmpty()
				.allMatch((answer) -> answer.reason().contains("STUCK"));
			await().atMost(TIMEOUT).until(kubelet::ready);
		}
	}

	@Test
	void aModelThatNeverLoadsIsRestartedWhenItsTimeIsUpAndNotBefore() {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withStartup(this.service.startup().everySecond(20));
		try (Container container = chaos(hasty, "load"); Kubelet kubelet = new Kubelet(container, hasty)) {
			await().atMost(TIMEOUT).until(() -> kubelet.restarts() == 1);
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
				: this.service.withStartup(this.service.startup().everySecond(45));
		int seconds = (real != null) ? real : 15;
		try (Container container = chaos(patient, "load", "CHAOS_SECONDS=" + seconds);
				Kubelet kubelet = new Kubelet(container, patient)) {
			await().atMost(TIMEOUT.plusSeconds(seconds)).until(kubelet::ready);
			assertThat(kubelet.restarts()).isZero();
			assertThat(kubelet.history(Kind.STARTUP)).filteredOn((answer) -> !answer.passed())
				.isNotEmpty()
				.anyMatch((answer) -> answer.reason().contains("LOADING"));
		}
	}

	@Test
	void aModelThatCrashesTheProcessIsRestartedAndServesAgain() throws Exception {
		Service hasty = this.service.withGracePeriod(Duration.ofSeconds(1))
			.withLiveness(this.service.liveness().everySecond(3));
		try (Container container = chaos(hasty, "crash");
				Kubelet kubelet = new Kubelet(container, hasty);
				HttpClient client = HttpClient.newHttpClient()) {
			for (int crashes = 1; crashes <= 2; crashes++) {
				int expected = crashes;
				await().atMost(TIMEOUT).until(kubelet::ready);
				assertThatIOException().isThrownBy(
						() -> client.send(predict(container, "/", "{\"instances\":[-1]}"), BodyHandlers.ofString()));
				await().atMost(TIMEOUT).until(() -> kubelet.restarts() == expected);
			}
			await().atMost(TIMEOUT).until(kubelet::ready);
			HttpResponse<String> answer = client.send(predict(container, "/", "{\"instances\":[2]}"),
					BodyHandlers.ofString());
			assertThat(answer.body()).isEqualTo("{\"predictions\":[2.0]}");
		}
	}

	@Test
	void aModelThatCannotBeUsedEndsTheProcessWithTheReasonAtEveryStart() {
		try (Container container = chaos(this.service, "fail")) {
			for (int start = 1; start <= 2; start++) {
				await().atMost(TIMEOUT).until(() -> !container.running());
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
			await().atMost(TIMEOUT).until(kubelet::ready);
			assertThatIOException().isThrownBy(
					() -> client.send(predict(container, "/", "{\"instances\":[-1]}"), BodyHandlers.ofString()));
			await().atMost(TIMEOUT).until(() -> container.logs().contains("The process ends"));
			assertThat(container.logs().lines().filter((line) -> line.contains("The process ends"))).singleElement()
				.satisfies((line) -> assertThat(line).startsWith("{").contains("out of memory", "\"ERROR\""));
		}
	}

	// Runs the image with the test's classes behind its own on the class path.
	private static Container chaos(Service service, String chaos, String... variables) {
		List<String> options = new ArrayList<>(List.of("--env", "CHAOS=" + chaos, "--volume",
				Path.of("target/test-classes").toAbsolutePath() + ":/chaos:ro"));
		for (String variable : variables) {
			options.addAll(List.of("--env", variable));
		}
		return Container.run(
				service.withCommand(
						List.of("/opt/java/bin/java", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED",
								"-cp", "/app/server.jar:/chaos", "inference.InferenceServer")),
				options.toArray(String[]::new));
	}

	// If the network of a container vanishes with its process, its connections never end.
	private static HttpRequest predict(Container container, String path, String body) throws IOException {
		return HttpRequest.newBuilder(container.uri(Service.read().port(), path))
			.timeout(Duration.ofSeconds(30))
			.POST(BodyPublishers.ofString(body))
			.build();
	}

	private static Service attentive() {
		Service service = Service.read();
		return service.withReadiness(service.readiness().everySecond(3))
			.withStartup(service.startup().everySecond(300));
	}

}
