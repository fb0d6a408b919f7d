package inference.grpc;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.ByteString;
import com.google.rpc.RetryInfo;
import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ClientInterceptors;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.MetadataUtils;
import openinference.Oip.InferParameter;
import openinference.Oip.InferTensorContents;
import openinference.Oip.ModelInferRequest;
import openinference.Oip.ModelInferRequest.InferInputTensor;
import openinference.Oip.ModelInferRequest.InferRequestedOutputTensor;
import openinference.Oip.ModelInferResponse;
import openinference.Oip.ModelMetadataRequest;
import openinference.Oip.ModelMetadataResponse;
import openinference.Oip.ModelReadyRequest;
import openinference.Oip.ModelReadyResponse;
import openinference.Oip.ServerLiveRequest;
import openinference.Oip.ServerLiveResponse;
import openinference.Oip.ServerMetadataRequest;
import openinference.Oip.ServerMetadataResponse;
import openinference.Oip.ServerReadyRequest;
import openinference.Oip.ServerReadyResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import inference.TestModel;
import inference.model.Gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

/**
 * The Open Inference Protocol over gRPC, as its clients see it.
 */
@Timeout(60)
@ExtendWith(OutputCaptureExtension.class)
class InferenceServiceTests {

	private static final Metadata.Key<String> ID = Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

	private static final GrpcServer server = GrpcServer.ready(TestModel::new, "inference.request.max-size=64KB");

	@AfterAll
	static void stop() {
		server.close();
	}

	@Test
	void describesServerAndModel() {
		assertThat(isReady("m")).isTrue();
		ServerMetadataResponse self = server.ask("ServerMetadata", ServerMetadataRequest.getDefaultInstance(),
				ServerMetadataResponse.getDefaultInstance());
		assertThat(self.getName()).isEqualTo("inference-server");
		assertThat(self.getVersion()).isNotEqualTo("null");
		ModelMetadataResponse model = server.ask("ModelMetadata",
				ModelMetadataRequest.newBuilder().setName("m").setVersion("1").build(),
				ModelMetadataResponse.getDefaultInstance());
		assertThat(model.getVersionsList()).containsExactly("1");
		assertThat(model.getInputs(0).getName()).isEqualTo("x");
		assertThat(model.getInputs(0).getShapeList()).containsExactly(-1L, 2L);
		assertThat(model.getOutputsList()).extracting((output) -> output.getDatatype())
			.containsExactly("FP32", "BYTES");
	}

	@Test
	void saysWhatToChangeInARequest() {
		ModelInferRequest.Builder good = GrpcServer.request(1, 2);
		InferInputTensor x = good.getInputs(0);
		ModelInferRequest.Builder without = good.clone().clearInputs();
		assertInvalid(without, "Input 'x' is missing; the model takes [x FP32 [-1,2]].");
		assertInvalid(without.clone().addInputs(x).addInputs(x), "Input 'x' comes twice.");
		assertInvalid(without.clone().addInputs(x.toBuilder().setDatatype("INT8")), "Input 'x' is FP32, not INT8.");
		assertInvalid(without.clone().addInputs(x.toBuilder().setShape(0, 2)),
				"Input 'x' states shape [2,2], which is 4 elements, but its data has shape [2].");
		assertInvalid(good.clone().addAllInputs(Collections.nCopies(999, InferInputTensor.getDefaultInstance())),
				"There are 1000 inputs; the model takes [x FP32 [-1,2]].");
		assertInvalid(
				good.clone().addAllOutputs(Collections.nCopies(1000, InferRequestedOutputTensor.getDefaultInstance())),
				"There are 1000 outputs; the model has ");
		assertInvalid(good.clone().addRawInputContents(ByteString.EMPTY),
				"Input 'x' must have either \"data\" or the parameter binary_data_size.");
		assertInvalid(good.clone().addRawInputContents(ByteString.EMPTY).addRawInputContents(ByteString.EMPTY),
				"There are 2 raw_input_contents for 1 inputs: send one for each input, or none.");
		assertInvalid(without.clone()
			.addInputs(x.toBuilder().clearContents())
			.addRawInputContents(ByteString.copyFrom(new byte[7])), "needs 2 elements of 4 bytes, not 7 bytes");
		assertInvalid(
				without.clone()
					.addInputs(x.toBuilder()
						.setContents(InferTensorContents.newBuilder()
							.addBytesContents(ByteString.copyFrom(new byte[] { -1 })))),
				"Typed BYTES must be UTF-8: send raw_input_contents.");
		assertInvalid(good.clone().addOutputs(InferRequestedOutputTensor.newBuilder().setName("z")),
				"There is no output 'z'; the model gives");
		assertInvalid(good.clone().putParameters("timeout", number(-1)),
				"Parameter 'timeout' must be a number of microseconds, 0 or more, not -1.");
		assertInvalid(good.clone().putParameters("sequence_id", number(1)), "Parameter 'sequence_id' is not supported");
		assertInvalid(GrpcServer.request(400, 0),
				"The model cannot use the input: 400 is not a number this model likes.");
	}

	@Test
	void saysWhichModelThereIs() {
		assertRefused(server, GrpcServer.request(1, 2).setModelName("other"), Code.NOT_FOUND,
				"There is no model 'other'; this server serves 'm'.");
		assertRefused(server, GrpcServer.request(1, 2).setModelVersion("2"), Code.NOT_FOUND,
				"Model 'm' has no version '2', only '1'.");
		assertThat(catchThrowableOfType(StatusRuntimeException.class, () -> isReady("other")).getStatus().getCode())
			.isEqualTo(Code.NOT_FOUND);
	}

	@Test
	void theModelsFailureIsInternalAndIsLoggedWithTheRequestsId(CapturedOutput output) {
		StatusRuntimeException failure = assertRefused(server, GrpcServer.request(500, 0).setId("of-the-client"),
				Code.INTERNAL, "The model failed. The server's log has the reason, with this answer's X-Request-Id.");
		assertThat(output).contains("[of-the-client] ");
		assertThat(failure.getTrailers()).isNotNull()
			.satisfies((trailers) -> assertThat(trailers.get(ID)).isEqualTo("of-the-client"));
	}

	@Test
	void theHeaderIsTheIdThatCountsAndTheTraceIsLogged(CapturedOutput output) {
		Metadata headers = new Metadata();
		headers.put(ID, "header");
		headers.put(Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER),
				"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
		assertThat(idOfAnswer(headers, GrpcServer.request(1, 2).setId("body"))).isEqualTo("header");
		assertThatThrownBy(() -> idOfAnswer(headers, GrpcServer.request(500, 0))).hasMessageContaining("X-Request-Id");
		assertThat(output).contains("[header 0af7651916cd43dd8448eb211c80319c] ");
		assertThat(idOfAnswer(new Metadata(), GrpcServer.request(1, 2).setId("body"))).isEqualTo("body");
		assertThat(idOfAnswer(new Metadata(), GrpcServer.request(1, 2))).isNotEmpty();
	}

	@Test
	void refusesMessagesAboveTheLimit() {
		for (int numbers : new int[] { 20_000, 200_000 }) {
			assertRefused(server, GrpcServer.request(new float[numbers]), Code.RESOURCE_EXHAUSTED,
					"gRPC message exceeds maximum size 65536");
		}
		StatusRuntimeException name = catchThrowableOfType(StatusRuntimeException.class,
				() -> isReady("m".repeat(50_000)));
		assertThat(name).hasMessageContaining("The message is too large.");
	}

	@Test
	void damagedMessagesAreTheClientsFault(CapturedOutput output) {
		int logged = output.length();
		byte[] whole = GrpcServer.request(1, 2).setId("an id").build().toByteArray();
		InferenceService bytes = server.server().context().getBean(InferenceService.class);
		Random random = new Random(1);
		for (int i = 0; i < 1_000; i++) {
			byte[] damaged = Arrays.copyOf(whole, 1 + random.nextInt(whole.length));
			damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
			try {
				ClientCalls.blockingUnaryCall(server.channel(), GrpcServer.INFER.toBuilder(bytes, bytes).build(),
						CallOptions.DEFAULT, damaged);
			}
			catch (StatusRuntimeException ex) {
				assertThat(ex.getStatus().getCode()).as(ex.getMessage()).isIn(Code.INVALID_ARGUMENT, Code.NOT_FOUND);
			}
		}
		assertThat(output.subSequence(logged, output.length())).doesNotContain("Exception");
	}

	@Test
	void compressedMessagesAreNotUnderstood(CapturedOutput output) {
		try (GrpcServer fresh = GrpcServer.ready(TestModel::new)) {
			int logged = output.length();
			StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class,
					() -> ClientCalls.blockingUnaryCall(fresh.channel(), GrpcServer.INFER,
							CallOptions.DEFAULT.withCompression("gzip"), GrpcServer.request(1, 2).build()));
			assertThat(refused.getStatus().getCode()).isEqualTo(Code.UNIMPLEMENTED);
			awaitCount(fresh, "invalid", 1);
			assertThat(output.subSequence(logged, output.length())).doesNotContain("Exception");
		}
	}

	@Test
	void aCallWithoutAMessageIsRefusedAtOnce() {
		CompletableFuture<Status> end = new CompletableFuture<>();
		ask(server, end).halfClose();
		assertThat(end).succeedsWithin(4, TimeUnit.SECONDS)
			.extracting(Status::getDescription)
			.isEqualTo("The call has no message.");
	}

	@Test
	void countsPredictionsByWhatEndedThem() {
		try (GrpcServer fresh = GrpcServer.ready(TestModel::new)) {
			var _ = fresh.infer(GrpcServer.request(1, 2));
			var _ = assertRefused(fresh, GrpcServer.request(1, 2).setModelName("other"), Code.NOT_FOUND,
					"no model 'other'");
			var _ = assertRefused(fresh, GrpcServer.request(500, 0), Code.INTERNAL, "The model failed.");
			for (String outcome : List.of("ok", "invalid", "failed")) {
				awaitCount(fresh, outcome, 1);
			}
		}
	}

	@Test
	void whatIsNotYetReadyIsUnavailableAndSaysWhenToTryAgain() {
		CountDownLatch loaded = new CountDownLatch(1);
		try (GrpcServer loading = GrpcServer.starting(() -> new TestModel(loaded))) {
			assertThat(loading
				.ask("ServerLive", ServerLiveRequest.getDefaultInstance(), ServerLiveResponse.getDefaultInstance())
				.getLive()).isTrue();
			assertThat(loading
				.ask("ServerReady", ServerReadyRequest.getDefaultInstance(), ServerReadyResponse.getDefaultInstance())
				.getReady()).isFalse();
			StatusRuntimeException refused = assertRefused(loading, GrpcServer.request(1, 2), Code.UNAVAILABLE,
					"Not ready: the model is loading");
			assertThat(StatusProto.fromThrowable(refused)).isNotNull()
				.matches((status) -> status.getDetails(0).is(RetryInfo.class));
			awaitCount(loading, "not_ready", 1);
			loaded.countDown();
		}
	}

	@Test
	void aFullQueueIsExhaustedAndACancelledCallLeavesIt() {
		Gate gate = new Gate();
		try (GrpcServer busy = GrpcServer.ready(() -> new HeldModel(gate), "inference.admission.max-concurrent=1",
				"inference.admission.max-queued=1", "inference.deadline=30s")) {
			ListenableFuture<ModelInferResponse> running = busy.begin(GrpcServer.request(7, 0));
			gate.awaitArrivals(1);
			ListenableFuture<ModelInferResponse> queued = busy.begin(GrpcServer.request(1, 2));
			await().until(() -> metrics(busy).contains("inference_queued 1.0"));
			assertRefused(busy, GrpcServer.request(1, 2), Code.RESOURCE_EXHAUSTED,
					"The server is busy: 1 of at most 1 calls");
			queued.cancel(true);
			await().until(() -> metrics(busy).contains("inference_queued 0.0"));
			awaitCount(busy, "overloaded", 1);
			awaitCount(busy, "gone", 1);
			gate.open();
			assertThat(running).succeedsWithin(10, TimeUnit.SECONDS);
		}
	}

	@Test
	void theClientsTimeoutShortensTheDeadline() {
		Gate gate = new Gate();
		try (GrpcServer slow = GrpcServer.ready(() -> new HeldModel(gate), "inference.deadline=30s")) {
			assertRefused(slow, GrpcServer.request(7, 0).putParameters("timeout", number(50_000)),
					Code.DEADLINE_EXCEEDED, "The deadline of 50 ms passed while the request was inside the model");
			awaitCount(slow, "late", 1);
			CallOptions soon = CallOptions.DEFAULT.withDeadlineAfter(50, TimeUnit.MILLISECONDS);
			StatusRuntimeException late = catchThrowableOfType(StatusRuntimeException.class, () -> ClientCalls
				.blockingUnaryCall(slow.channel(), GrpcServer.INFER, soon, GrpcServer.request(7, 0).build()));
			assertThat(late.getStatus().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
			await().untilAsserted(() -> assertThat(metrics(slow)).contains("inference_memory_reserved_bytes 0.0"));
			gate.open();
		}
	}

	@Test
	void slowClientsAreDisconnectedSoonAfterTheDeadline() {
		try (GrpcServer hasty = GrpcServer.ready(TestModel::new, "inference.deadline=1s")) {
			CompletableFuture<Status> sendsNothing = new CompletableFuture<>();
			var _ = ask(hasty, sendsNothing);
			ClientCall<ModelInferRequest, ModelInferResponse> reader = ask(hasty, new CompletableFuture<>());
			ModelInferRequest.Builder large = GrpcServer.request(new float[600_000]);
			ByteString raw = ByteString.copyFrom(new byte[600_000 * Float.BYTES]);
			large.addRawInputContents(raw).getInputsBuilder(0).clearContents();
			reader.sendMessage(large.build());
			reader.halfClose();
			assertThat(sendsNothing).succeedsWithin(10, TimeUnit.SECONDS)
				.extracting(Status::getCode)
				.isIn(Code.CANCELLED, Code.DEADLINE_EXCEEDED);
			// A client that does not read does not see the end either.
			awaitCount(hasty, "late", 2);
			assertThat(metrics(hasty)).contains("inference_memory_reserved_bytes 0.0");
			assertThat(hasty.infer(GrpcServer.request(1, 2)).getOutputsCount()).isEqualTo(2);
		}
	}

	// Of a unary call, the client would send nothing before it has the message.
	private static ClientCall<ModelInferRequest, ModelInferResponse> ask(GrpcServer server,
			CompletableFuture<Status> end) {
		ClientCall<ModelInferRequest, ModelInferResponse> call = server.channel()
			.newCall(GrpcServer.INFER.toBuilder().setType(MethodType.BIDI_STREAMING).build(), CallOptions.DEFAULT);
		call.start(new ClientCall.Listener<>() {
			@Override
			public void onClose(Status status, Metadata trailers) {
				end.complete(status);
			}
		}, new Metadata());
		return call;
	}

	private static boolean isReady(String model) {
		return server
			.ask("ModelReady", ModelReadyRequest.newBuilder().setName(model).build(),
					ModelReadyResponse.getDefaultInstance())
			.getReady();
	}

	private static @Nullable String idOfAnswer(Metadata headers, ModelInferRequest.Builder request) {
		var answerHeaders = new AtomicReference<Metadata>();
		ClientCalls.blockingUnaryCall(
				ClientInterceptors.intercept(server.channel(), MetadataUtils.newAttachHeadersInterceptor(headers),
						MetadataUtils.newCaptureMetadataInterceptor(answerHeaders, new AtomicReference<>())),
				GrpcServer.INFER, CallOptions.DEFAULT, request.build());
		return Objects.requireNonNull(answerHeaders.get()).get(ID);
	}

	private static InferParameter number(long value) {
		return InferParameter.newBuilder().setInt64Param(value).build();
	}

	private static String metrics(GrpcServer server) {
		return server.server().request().get("/actuator/prometheus").asString();
	}

	private static void awaitCount(GrpcServer server, String outcome, int count) {
		await().untilAsserted(() -> assertThat(metrics(server)).contains(
				"inference_requests_seconds_count{outcome=\"%s\",protocol=\"grpc\"} %d".formatted(outcome, count)));
	}

	private static void assertInvalid(ModelInferRequest.Builder request, String sentence) {
		var _ = assertRefused(server, request, Code.INVALID_ARGUMENT, sentence);
	}

	private static StatusRuntimeException assertRefused(GrpcServer server, ModelInferRequest.Builder request, Code code,
			String sentence) {
		StatusRuntimeException refused = catchThrowableOfType(StatusRuntimeException.class,
				() -> server.infer(request));
		assertThat(refused.getStatus().getDescription()).contains(sentence);
		assertThat(refused.getStatus().getCode()).isEqualTo(code);
		return refused;
	}

}
