package inference.grpc;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Stream;

import com.google.common.util.concurrent.ListenableFuture;
import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;
import openinference.Oip.InferTensorContents;
import openinference.Oip.ModelInferRequest;
import openinference.Oip.ModelInferRequest.InferInputTensor;
import openinference.Oip.ModelInferResponse;

import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

import inference.Server;
import inference.TestModel;
import inference.model.Model;

/**
 * The whole application with gRPC, and a gRPC client.
 */
final class GrpcServer implements AutoCloseable {

	static final MethodDescriptor<ModelInferRequest, ModelInferResponse> INFER = method("ModelInfer",
			ModelInferRequest.getDefaultInstance(), ModelInferResponse.getDefaultInstance());

	private final Server server;

	private final ManagedChannel channel;

	private GrpcServer(Server server) {
		this.server = server;
		this.channel = newChannel();
	}

	/** A connection of its own, which the caller shuts down. */
	ManagedChannel newChannel() {
		return ManagedChannelBuilder
			.forAddress("localhost", this.server.context().getBean(GrpcServerLifecycle.class).getPort())
			.usePlaintext()
			.maxInboundMessageSize(Integer.MAX_VALUE)
			.build();
	}

	/**
	 * The server that tests share, with a new {@link TestModel}. A test may swap its
	 * model and must not close it.
	 */
	static GrpcServer shared() {
		Shared.SERVER.server.swap(new TestModel());
		return Shared.SERVER;
	}

	static GrpcServer ready(Supplier<? extends Model> model, String... properties) {
		return new GrpcServer(Server.ready(model, with(properties)));
	}

	static GrpcServer starting(Supplier<? extends Model> model, String... properties) {
		return new GrpcServer(Server.starting(model, with(properties)));
	}

	private static String[] with(String... properties) {
		return Stream
			.concat(Stream.of(properties), Stream.of("inference.grpc.enabled=true", "spring.grpc.server.port=0"))
			.toArray(String[]::new);
	}

	static <Q extends Message, A extends Message> MethodDescriptor<Q, A> method(String name, Q request, A answer) {
		return MethodDescriptor.newBuilder(ProtoUtils.marshaller(request), ProtoUtils.marshaller(answer))
			.setFullMethodName("inference.GRPCInferenceService/" + name)
			.setType(MethodType.UNARY)
			.build();
	}

	Server server() {
		return this.server;
	}

	Channel channel() {
		return this.channel;
	}

	/** Calls a method of the Open Inference Protocol. */
	<Q extends Message, A extends Message> A ask(String method, Q request, A kind) {
		return ClientCalls.blockingUnaryCall(this.channel, method(method, request, kind), options(), request);
	}

	ModelInferResponse infer(ModelInferRequest.Builder request) {
		return ClientCalls.blockingUnaryCall(this.channel, INFER, options(), request.build());
	}

	ListenableFuture<ModelInferResponse> begin(ModelInferRequest.Builder request) {
		return ClientCalls.futureUnaryCall(this.channel.newCall(INFER, options()), request.build());
	}

	HealthGrpc.HealthBlockingStub health() {
		return HealthGrpc.newBlockingStub(this.channel).withDeadlineAfter(20, TimeUnit.SECONDS);
	}

	private static CallOptions options() {
		return CallOptions.DEFAULT.withDeadlineAfter(20, TimeUnit.SECONDS);
	}

	/** A request for the {@code TestModel}, which takes rows of two numbers. */
	static ModelInferRequest.Builder request(float... x) {
		InferTensorContents.Builder contents = InferTensorContents.newBuilder();
		for (float number : x) {
			contents.addFp32Contents(number);
		}
		return ModelInferRequest.newBuilder()
			.setModelName("m")
			.addInputs(InferInputTensor.newBuilder()
				.setName("x")
				.setDatatype("FP32")
				.addAllShape(List.of(x.length / 2L, 2L))
				.setContents(contents));
	}

	@Override
	public void close() {
		this.channel.shutdownNow();
		this.server.close();
	}

	private static final class Shared {

		static final GrpcServer SERVER = ready(TestModel::new, "inference.request.max-size=64KB");

	}

}
