package inference.grpc;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthCheckResponse;
import io.grpc.health.v1.HealthCheckResponse.ServingStatus;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.stub.BlockingClientCall;
import io.grpc.stub.StreamObserver;
import openinference.Oip.ServerLiveRequest;
import openinference.Oip.ServerLiveResponse;
import openinference.Oip.ServerReadyRequest;
import openinference.Oip.ServerReadyResponse;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import inference.TestModel;
import inference.YamlFile;
import inference.lifecycle.State;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * The health service of gRPC says what the other probes say, at once.
 */
@Timeout(60)
class GrpcHealthTests {

	@Test
	void reportsTheProbesAndEachChange() {
		CountDownLatch loaded = new CountDownLatch(1);
		try (GrpcServer server = GrpcServer.starting(() -> new TestModel(loaded))) {
			Iterator<HealthCheckResponse> changes = server.health().watch(service("readiness"));
			assertThat(changes.next().getStatus()).isEqualTo(ServingStatus.NOT_SERVING);
			assertThat(status(server, "startup")).isEqualTo(ServingStatus.NOT_SERVING);
			assertThat(status(server, "liveness")).isEqualTo(ServingStatus.SERVING);
			assertThat(status(server, "")).isEqualTo(ServingStatus.NOT_SERVING);
			assertThat(server
				.ask("ServerLive", ServerLiveRequest.getDefaultInstance(), ServerLiveResponse.getDefaultInstance())
				.getLive()).isTrue();
			assertThat(server
				.ask("ServerReady", ServerReadyRequest.getDefaultInstance(), ServerReadyResponse.getDefaultInstance())
				.getReady()).isFalse();
			loaded.countDown();
			server.server().await(State.READY);
			assertThat(changes.next().getStatus()).isEqualTo(ServingStatus.SERVING);
			for (String service : List.of("", "startup", "liveness", "readiness", "inference.GRPCInferenceService")) {
				await(service).pollInterval(Duration.ofMillis(10))
					.untilAsserted(() -> assertThat(status(server, service)).isEqualTo(ServingStatus.SERVING));
			}
			StatusRuntimeException unknown = catchThrowableOfType(StatusRuntimeException.class,
					() -> status(server, "other"));
			assertThat(unknown.getStatus().getCode()).isEqualTo(Status.Code.NOT_FOUND);
		}
	}

	@Test
	void limitsTheNumberOfOpenCalls() {
		AtomicInteger answers = new AtomicInteger();
		List<ManagedChannel> channels = new ArrayList<>();
		try (GrpcServer server = GrpcServer.ready(TestModel::new)) {
			for (int i = 0; i < 10; i++) {
				ManagedChannel channel = server.newChannel();
				channels.add(channel);
				for (int j = 0; j < 100; j++) {
					HealthGrpc.newStub(channel).watch(service("readiness"), new CountingObserver(answers));
				}
			}
			await().until(() -> answers.get() == 1000);
			StatusRuntimeException failure = catchThrowableOfType(StatusRuntimeException.class,
					() -> server.health().watch(service("readiness")).next());
			assertThat(failure.getStatus().getCode()).isEqualTo(Status.Code.RESOURCE_EXHAUSTED);
			assertThat(status(server, "readiness")).isEqualTo(ServingStatus.SERVING);
		}
		finally {
			channels.forEach(ManagedChannel::shutdownNow);
		}
	}

	@Test
	void reflectionListsTheServices() throws Exception {
		BlockingClientCall<ServerReflectionRequest, ServerReflectionResponse> call = ServerReflectionGrpc
			.newBlockingV2Stub(GrpcServer.shared().channel())
			.serverReflectionInfo();
		assertThat(call.write(ServerReflectionRequest.newBuilder().setListServices("").build())).isTrue();
		assertThat(Objects.requireNonNull(call.read()).getListServicesResponse().getServiceList())
			.extracting((service) -> service.getName())
			.contains("inference.GRPCInferenceService", "grpc.health.v1.Health");
	}

	@Test
	void kubernetesManifestNamesExistingServices() {
		JsonNode patch = YamlFile.documents(Path.of("src/ops/kubernetes-grpc.yaml")).getFirst();
		JsonNode deployment = YamlFile.documents(Path.of("src/ops/kubernetes.yaml")).getFirst();
		String container = "/spec/template/spec/containers/0";
		assertThat(patch.at(container + "/name")).isEqualTo(deployment.at(container + "/name"));
		for (String probe : List.of("startup", "liveness", "readiness")) {
			assertThat(patch.at("%s/%sProbe/grpc/service".formatted(container, probe)).asString()).isEqualTo(probe);
		}
	}

	@Test
	void easSendsCallsToGrpcAndAsksTheProbesOfServiceJson() {
		JsonNode service = JsonMapper.shared().readTree(Path.of("service.json"));
		JsonNode variant = JsonMapper.shared().readTree(Path.of("src/ops/eas-grpc.json"));
		assertThat(variant.at("/metadata/enable_grpc").asBoolean()).isTrue();
		assertThat(variant.at("/containers/0/port").asInt()).isEqualTo(8001);
		assertThat(variant.at("/containers/0/env").findValuesAsString("name")).contains("INFERENCE_GRPC_ENABLED");
		assertThat(List.of("/metadata/rpc", "/metadata/eas.termination_grace_period", "/metadata/rolling_strategy",
				"/containers/0/command", "/containers/0/startup_check", "/containers/0/liveness_check",
				"/containers/0/health_check"))
			.allSatisfy((same) -> assertThat(variant.at(same)).isEqualTo(service.at(same)));
	}

	private record CountingObserver(AtomicInteger answers) implements StreamObserver<HealthCheckResponse> {

		@Override
		public void onNext(HealthCheckResponse response) {
			this.answers.incrementAndGet();
		}

		@Override
		public void onError(Throwable failure) {
		}

		@Override
		public void onCompleted() {
		}

	}

	private static ServingStatus status(GrpcServer server, String service) {
		return server.health().check(service(service)).getStatus();
	}

	private static HealthCheckRequest service(String name) {
		return HealthCheckRequest.newBuilder().setService(name).build();
	}

}
