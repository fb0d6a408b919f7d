package inference.grpc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

import com.google.common.util.concurrent.ListenableFuture;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import openinference.Oip.ModelInferResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

import inference.TestModel;
import inference.lifecycle.Lifecycles;
import inference.lifecycle.ModelLifecycle;
import inference.lifecycle.State;
import inference.model.Gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * Tests what happens to calls while the server ends.
 */
@Timeout(60)
class GrpcDrainTests {

	@Test
	void readinessFailsFirstAndCallsInFlightAreFinished() throws Exception {
		Gate gate = new Gate();
		try (GrpcServer server = GrpcServer.ready(() -> new HeldModel(gate), "inference.drain.delay=1h")) {
			ListenableFuture<ModelInferResponse> running = server.begin(GrpcServer.request(7, 0));
			gate.awaitArrivals(1);
			Thread closing = Thread.ofPlatform().start(() -> server.server().close());
			server.server().await(State.DRAINING);
			await().pollInterval(Duration.ofMillis(10))
				.untilAsserted(
						() -> assertThat(server.health().check(HealthCheckRequest.getDefaultInstance()).getStatus())
							.isEqualTo(ServingStatus.NOT_SERVING));
			assertThat(server.infer(GrpcServer.request(1, 2)).getOutputsCount()).isEqualTo(2);
			endDrainDelay(server);
			GrpcServerLifecycle grpc = server.server().context().getBean(GrpcServerLifecycle.class);
			await().pollInterval(Duration.ofMillis(10)).until(() -> !grpc.isRunning());
			gate.open();
			assertThat(running).succeedsWithin(10, TimeUnit.SECONDS);
			closing.join();
		}
	}

	@Test
	void aClientThatWatchesHealthDoesNotDelayTheEnd() throws Exception {
		try (GrpcServer server = GrpcServer.ready(TestModel::new, "inference.drain.delay=1h")) {
			Iterator<HealthCheckResponse> watch = server.health().watch(HealthCheckRequest.getDefaultInstance());
			assertThat(watch.next().getStatus()).isEqualTo(ServingStatus.SERVING);
			Thread closing = Thread.ofPlatform().start(() -> server.server().close());
			assertThat(watch.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
			endDrainDelay(server);
			// The grace period is 10 s.
			assertThat(closing.join(Duration.ofSeconds(9))).isTrue();
			assertThatThrownBy(watch::next).isInstanceOf(StatusRuntimeException.class);
		}
	}

	@Test
	void aClientThatWatchesHealthAgainAndAgainDoesNotDelayTheEnd() throws Exception {
		try (GrpcServer server = GrpcServer.ready(TestModel::new)) {
			CountDownLatch firstAnswer = new CountDownLatch(1);
			Thread client = Thread.ofPlatform().daemon().start(() -> {
				while (!Thread.currentThread().isInterrupted()) {
					try {
						server.health()
							.watch(HealthCheckRequest.getDefaultInstance())
							.forEachRemaining((_) -> firstAnswer.countDown());
					}
					catch (StatusRuntimeException ex) {
						// The client watches again.
					}
				}
			});
			try {
				firstAnswer.await();
				Thread closing = Thread.ofPlatform().start(() -> server.server().close());
				// The grace period is 10 s.
				assertThat(closing.join(Duration.ofSeconds(9))).isTrue();
			}
			finally {
				client.interrupt();
			}
		}
	}

	@Test
	void noCallIsLostUnderLoad() throws Exception {
		AtomicBoolean stopped = new AtomicBoolean();
		CountDownLatch busy = new CountDownLatch(200);
		ConcurrentLinkedQueue<Status> lost = new ConcurrentLinkedQueue<>();
		List<Thread> clients = new ArrayList<>();
		try (GrpcServer server = GrpcServer.ready(TestModel::new)) {
			for (int i = 0; i < 8; i++) {
				clients.add(Thread.ofPlatform().start(() -> {
					while (!stopped.get()) {
						try {
							server.infer(GrpcServer.request(1, 2));
							busy.countDown();
						}
						catch (StatusRuntimeException ex) {
							// The call never began if the port was already closed.
							if (!String.valueOf(ex.getStatus().getCause()).contains("refused")) {
								lost.add(ex.getStatus());
							}
							return;
						}
					}
				}));
			}
			assertThat(busy.await(20, TimeUnit.SECONDS)).isTrue();
			server.server().close();
			for (Thread client : clients) {
				client.join();
			}
			stopped.set(true);
		}
		assertThat(lost).isEmpty();
	}

	private static void endDrainDelay(GrpcServer server) {
		Lifecycles.endDrainDelay(server.server().context().getBean(ModelLifecycle.class));
	}

}
