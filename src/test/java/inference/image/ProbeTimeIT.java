package inference.image;

import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIf;
import org.junit.jupiter.api.parallel.Isolated;

import inference.image.Container.Result;
import inference.image.Kubelet.Answer;
import inference.image.Kubelet.Kind;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * The time that the probes of a container take. The flood needs all CPUs, so no other
 * test runs at the same time.
 */
@EnabledIf("inference.image.Image#isBuilt")
@Isolated
class ProbeTimeIT {

	private static final Duration TIMEOUT = Duration.ofMinutes(2);

	private static final int CLIENTS = 128;

	private final Container container;

	private final Kubelet kubelet;

	ProbeTimeIT() {
		Service service = Service.read();
		Service watchful = service.withLiveness(service.liveness().everySecond(3))
			.withReadiness(service.readiness().everySecond(3));
		this.container = Container.run(watchful);
		this.kubelet = new Kubelet(this.container, watchful);
	}

	@BeforeEach
	void becomeReady() {
		await().atMost(TIMEOUT).until(this.kubelet::ready);
	}

	@AfterEach
	void remove() {
		this.kubelet.close();
		this.container.close();
	}

	@Test
	void aFloodedServerIsLeftAlone() throws Exception {
		try (HttpClient client = HttpClient.newHttpClient();
				var executor = Executors.newVirtualThreadPerTaskExecutor()) {
			HttpRequest request = HttpRequest.newBuilder(this.container.uri(Service.read().port(), "/"))
				.POST(BodyPublishers.ofString("{\"instances\":[[6.8,2.8,4.8,1.4]]}"))
				.build();
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
			int before = this.kubelet.history(Kind.LIVENESS).size();
			await().atMost(TIMEOUT).until(() -> this.kubelet.history(Kind.LIVENESS).size() > before + 10);
			enough.set(true);
			for (Future<?> finished : clients) {
				finished.get();
			}
			assertThat(statuses).isSubsetOf(200, 400, 429, 504).doesNotContain(503);
			assertThat(this.kubelet.history(Kind.LIVENESS)).allMatch(Answer::passed);
			assertThat(this.kubelet.history(Kind.READINESS).stream().dropWhile((answer) -> !answer.passed()))
				.allMatch(Answer::passed);
			assertThat(this.kubelet.restarts()).isZero();
		}
	}

	@Test
	void anExecProbeIsAnsweredInHalfASecond() {
		// The time that Podman takes for the smallest program of every base is
		// subtracted.
		Duration podman = best("/lib64/ld-linux-x86-64.so.2", "--version");
		assertThat(best("/opt/java/bin/java", "@/app/probe.args", "readiness").minus(podman)).isPositive()
			.isLessThan(Duration.ofMillis(500));
	}

	private Duration best(String... command) {
		return Stream.generate(() -> this.container.exec(TIMEOUT, command))
			.limit(10)
			.peek((result) -> assertThat(result.exitCode()).as(result.output()).isZero())
			.map(Result::time)
			.min(Duration::compareTo)
			.orElseThrow();
	}

}
