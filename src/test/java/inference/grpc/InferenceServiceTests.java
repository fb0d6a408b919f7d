package inference.grpc;

import java.io.IOException;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
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
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.search.RequiredSearch;
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
import openinference.Oip.ServerMetadataRequest;
import openinference.Oip.ServerMetadataResponse;
import openinference.Oip.ServerLiveRequest;
import openinference.Oip.ServerLiveResponse;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

import inference.TestModel;
import inference.lifecycle.State;
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

	private static final GrpcServer server = GrpcServer.shared();

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
		ModelInferRequest.Builder without = good.clone().clearInputs();
		assertInvalid(without, "Input 'x' is missing; the model takes [x FP32 [-1,2]].");
		assertInvalid(good.clone().addAllInputs(Collections.nCopies(999, InferInputTensor.getDefaultInstance())),
				"There are 1000 inputs; the model takes [x FP32 [-1,2]].");
		assertInvalid(
				good.clone().addAllOutputs(Collections.nCopies(1000, InferRequestedOutputTensor.getDefaultInstance())),
				"There are 1000 outputs; the model has ");
		assertInvalid(good.clone().addRawInputContents(ByteString.EMPTY),
				"Input 'x' has contents although there are raw_input_contents: send one of the two.");
		assertInvalid(
				good.clone()
					.setInputs(0, good.getInputs(0).toBuilder().setContents(InferTensorContents.getDefaultInstance()))
					.addRawInputContents(ByteString.EMPTY),
				"Input 'x' has contents although there are raw_input_contents: send one of the two.");
		assertInvalid(good.clone().addRawInputContents(ByteString.EMPTY).addRawInputContents(ByteString.EMPTY),
				"There are 2 raw_input_contents for 1 inputs: send one for each input, or none.");
		InferTensorContents noText = InferTensorContents.newBuilder()
			.addBytesContents(ByteString.copyFrom(new byte[] { -1 }))
			.build();
		assertInvalid(without.clone().addInputs(good.getInputs(0).toBuilder().setContents(noText)),
				"Typed BYTES must be UTF-8: send raw_input_contents.");
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
	void theHeaderOverridesTheIdAndTheTraceIsLogged(CapturedOutput output) {
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
	void refusesCompressedMessages(CapturedOutput output) {
		int logged = output.length();
		assertThat(catchThrowableOfType(StatusRuntimeException.class, () -> compressed(server)).getStatus().getCode())
			.isEqualTo(Code.UNIMPLEMENTED);
		assertThat(output.subSequence(logged, output.length())).doesNotContain("Exception");
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
	void countsPredictionsByOutcome() {
		CountDownLatch loaded = new CountDownLatch(1);
		try (GrpcServer fresh = GrpcServer.starting(() -> new TestModel(loaded))) {
			StatusRuntimeException tooSoon = assertRefused(fresh, GrpcServer.request(1, 2), Code.UNAVAILABLE,
					"Not ready: the model is loading.");
			assertThat(StatusProto.fromThrowable(tooSoon)).isNotNull()
				.matches((status) -> status.getDetails(0).is(RetryInfo.class));
			loaded.countDown();
			fresh.server().await(State.READY);
			var _ = fresh.infer(GrpcServer.request(1, 2));
			var _ = assertRefused(fresh, GrpcServer.request(1, 2).setModelName("other"), Code.NOT_FOUND,
					"no model 'other'");
			assertThatThrownBy(() -> compressed(fresh)).hasMessageContaining("UNIMPLEMENTED");
			var _ = assertRefused(fresh, GrpcServer.request(500, 0), Code.INTERNAL, "The model failed.");
			awaitCount(fresh, "not_ready", 1);
			awaitCount(fresh, "ok", 1);
			awaitCount(fresh, "invalid", 2);
			awaitCount(fresh, "failed", 1);
		}
	}

	@Test
	void aFullQueueRefusesCallsAndACancelledCallLeavesIt() {
		Gate gate = new Gate();
		try (GrpcServer busy = GrpcServer.ready(() -> new HeldModel(gate), "inference.admission.max-concurrent=1",
				"inference.admission.max-queued=1", "inference.deadline=30s")) {
			ListenableFuture<ModelInferResponse> running = busy.begin(GrpcServer.request(7, 0));
			gate.awaitArrivals(1);
			ListenableFuture<ModelInferResponse> queued = busy.begin(GrpcServer.request(1, 2));
			awaitGauge(busy, "inference.queued", 1);
			assertRefused(busy, GrpcServer.request(1, 2), Code.RESOURCE_EXHAUSTED,
					"The server is busy: 1 of at most 1 calls");
			queued.cancel(true);
			awaitGauge(busy, "inference.queued", 0);
			awaitCount(busy, "overloaded", 1);
			awaitCount(busy, "gone", 1);
			gate.open();
			assertThat(running).succeedsWithin(10, TimeUnit.SECONDS);
		}
	}

	@Test
	void theClientsTimeoutShortensTheDeadline() {
		Gate gate = new Gate();
		server.server().swap(new HeldModel(gate));
		// The first call loads classes, which can take longer than 50 ms.
		assertThat(server.infer(GrpcServer.request(1, 2)).getOutputsCount()).isEqualTo(2);
		long before = count(server, "late");
		assertRefused(server, GrpcServer.request(7, 0).putParameters("timeout", number(50_000)), Code.DEADLINE_EXCEEDED,
				"The deadline of 50 ms passed while the request was inside the model");
		awaitCount(server, "late", before + 1);
		CallOptions soon = CallOptions.DEFAULT.withDeadlineAfter(200, TimeUnit.MILLISECONDS);
		StatusRuntimeException late = catchThrowableOfType(StatusRuntimeException.class, () -> ClientCalls
			.blockingUnaryCall(server.channel(), GrpcServer.INFER, soon, GrpcServer.request(7, 0).build()));
		assertThat(late.getStatus().getCode()).isEqualTo(Code.DEADLINE_EXCEEDED);
		awaitCount(server, "late", before + 2);
		awaitGauge(server, "inference.memory.reserved", 0);
		gate.open();
	}

	@Test
	void slowClientsAreDisconnectedSoonAfterTheDeadline() {
		try (GrpcServer hasty = GrpcServer.ready(TestModel::new, "inference.deadline=500ms")) {
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
			// A client that does not read does not notice that the call has ended.
			awaitCount(hasty, "late", 2);
			awaitGauge(hasty, "inference.memory.reserved", 0);
			assertThat(hasty.infer(GrpcServer.request(1, 2)).getOutputsCount()).isEqualTo(2);
		}
	}

	// gRPC reports the end of a stream only to the call that its last headers have begun.
	@Test
	void callsWhoseStreamBeganTwiceEndWithTheirConnection() throws IOException {
		String headers = headers("/" + InferenceService.PREDICTION_METHOD_NAME);
		try (Socket socket = connect()) {
			OutputStream stream = socket.getOutputStream();
			writeFrame(stream, 1, 4, 1, headers);
			writeFrame(stream, 0, 0, 1, "\0\0\0\0dpart of a message of 100 bytes");
			awaitMemoryInUse();
			writeFrame(stream, 1, 5, 1, headers);
			socket.shutdownOutput();
			socket.getInputStream().readAllBytes();
		}
		awaitGauge(server, "inference.memory.reserved", 0);
	}

	@Test
	void callsOfUnknownMethodsWhoseStreamBeganTwiceDoNotCountAsOpen() throws IOException {
		String headers = headers("/a.b/Unknown");
		for (int connection = 0; connection < 11; connection++) {
			try (Socket socket = connect()) {
				OutputStream stream = socket.getOutputStream();
				for (int streamId = 1; streamId < 200; streamId += 2) {
					writeFrame(stream, 1, 4, streamId, headers);
					writeFrame(stream, 1, 5, streamId, headers);
				}
				socket.shutdownOutput();
				socket.getInputStream().readAllBytes();
			}
		}
		var answer = server.ask("ServerLive", ServerLiveRequest.getDefaultInstance(),
				ServerLiveResponse.getDefaultInstance());
		assertThat(answer.getLive()).isTrue();
	}

	private static Socket connect() throws IOException {
		Socket socket = new Socket("localhost", server.server().context().getBean(GrpcServerLifecycle.class).getPort());
		socket.setSoTimeout(10_000);
		socket.getOutputStream().write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
		writeFrame(socket.getOutputStream(), 4, 0, 0, "");
		return socket;
	}

	private static String headers(String path) {
		return "\u0083\u0086\u0004%c%s\u000f\u0010\u0010application/grpc\0\u0002te\btrailers".formatted(path.length(),
				path);
	}

	private static void awaitMemoryInUse() {
		await().pollInterval(Duration.ofMillis(10))
			.until(() -> meter(server, "inference.memory.reserved").gauge().value() > 0);
	}

	private static void writeFrame(OutputStream stream, int type, int flags, int streamId, String payload)
			throws IOException {
		byte[] bytes = payload.getBytes(StandardCharsets.ISO_8859_1);
		stream.write(new byte[] { 0, 0, (byte) bytes.length, (byte) type, (byte) flags, 0, 0, 0, (byte) streamId });
		stream.write(bytes);
	}

	// In a unary call, the client would send nothing until it has the whole message.
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

	private static void compressed(GrpcServer server) {
		ClientCalls.blockingUnaryCall(server.channel(), GrpcServer.INFER, CallOptions.DEFAULT.withCompression("gzip"),
				GrpcServer.request(1, 2).build());
	}

	private static RequiredSearch meter(GrpcServer server, String name) {
		return server.server().context().getBean(MeterRegistry.class).get(name);
	}

	private static long count(GrpcServer server, String outcome) {
		return meter(server, "inference.requests").tags("protocol", "grpc", "outcome", outcome).timer().count();
	}

	private static void awaitCount(GrpcServer server, String outcome, long count) {
		await().pollInterval(Duration.ofMillis(10))
			.untilAsserted(() -> assertThat(count(server, outcome)).as(outcome).isEqualTo(count));
	}

	private static void awaitGauge(GrpcServer server, String name, double value) {
		await().pollInterval(Duration.ofMillis(10))
			.untilAsserted(() -> assertThat(meter(server, name).gauge().value()).as(name).isEqualTo(value));
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
