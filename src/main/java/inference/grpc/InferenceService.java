package inference.grpc;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Message;
import com.google.protobuf.UnsafeByteOperations;
import io.grpc.BindableService;
import io.grpc.Context;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.ServiceDescriptor;
import io.grpc.protobuf.ProtoFileDescriptorSupplier;
import io.grpc.protobuf.ProtoUtils;
import openinference.Oip;
import openinference.Oip.ModelMetadataResponse.TensorMetadata;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.info.BuildProperties;

import inference.admission.Admission;
import inference.admission.Reservation;
import inference.admission.Statistics;
import inference.admission.Statistics.Protocol;
import inference.admission.Statistics.Stage;
import inference.codec.InferenceRequest;
import inference.codec.InvalidRequestException;
import inference.health.Probes;
import inference.model.ModelMetadata;
import inference.model.ModelProperties;
import inference.model.Tensor;
import inference.model.TensorSpec;

/**
 * The methods of the Open Inference Protocol. gRPC hands over messages as bytes. If gRPC
 * parsed messages, it would answer a damaged message with UNKNOWN and log a stack trace.
 */
record InferenceService(Admission admission, Statistics statistics, Probes probes, ModelProperties modelProperties,
		ObjectProvider<BuildProperties> buildProperties) implements BindableService, Marshaller<byte[]> {

	static final String NAME = "inference.GRPCInferenceService";

	static final String PREDICTION_METHOD_NAME = NAME + "/ModelInfer";

	// Writing does not depend on the type, so this marshaller writes every answer.
	private static final Marshaller<Message> ANSWER_MARSHALLER = ProtoUtils
		.marshaller(Oip.ModelInferResponse.getDefaultInstance());

	InferenceService {
		statistics.registerTimers(Protocol.GRPC);
	}

	@Override
	public ServerServiceDefinition bindService() {
		List<MethodDescriptor<byte[], Message>> methods = Oip.getDescriptor()
			.findServiceByName("GRPCInferenceService")
			.getMethods()
			.stream()
			.map((method) -> MethodDescriptor.newBuilder(this, ANSWER_MARSHALLER)
				.setFullMethodName(MethodDescriptor.generateFullMethodName(NAME, method.getName()))
				.setType(MethodType.UNARY)
				.build())
			.toList();
		ServiceDescriptor.Builder descriptor = ServiceDescriptor.newBuilder(NAME)
			.setSchemaDescriptor((ProtoFileDescriptorSupplier) Oip::getDescriptor);
		methods.forEach(descriptor::addMethod);
		ServerServiceDefinition.Builder definition = ServerServiceDefinition.builder(descriptor.build());
		methods.forEach((method) -> definition.addMethod(method,
				(serverCall, _) -> GrpcCall.CALL_KEY.get().admitAndListen(serverCall)));
		return definition.build();
	}

	Message answer(MethodDescriptor<?, ?> method, byte[] message, GrpcCall call) throws IOException {
		String methodName = String.valueOf(method.getBareMethodName());
		return switch (methodName) {
			case "ServerLive" -> Oip.ServerLiveResponse.newBuilder().setLive(this.probes.results().live()).build();
			case "ServerReady" -> Oip.ServerReadyResponse.newBuilder().setReady(this.probes.results().ready()).build();
			case "ServerMetadata" -> Oip.ServerMetadataResponse.newBuilder()
				.setName("inference-server")
				.setVersion(
						this.buildProperties.stream().map(BuildProperties::getVersion).findFirst().orElse("unknown"))
				.build();
			case "ModelReady" -> {
				Oip.ModelReadyRequest request = Oip.ModelReadyRequest.parseFrom(message);
				requireServed(request.getName(), request.getVersion());
				yield Oip.ModelReadyResponse.newBuilder().setReady(this.probes.results().ready()).build();
			}
			case "ModelMetadata" -> {
				Oip.ModelMetadataRequest request = Oip.ModelMetadataRequest.parseFrom(message);
				requireServed(request.getName(), request.getVersion());
				yield modelMetadata();
			}
			case "ModelInfer" -> infer(call, message);
			default -> throw new IllegalArgumentException("unknown method " + methodName);
		};
	}

	private Message modelMetadata() {
		ModelMetadata metadata = this.admission.metadata();
		return Oip.ModelMetadataResponse.newBuilder()
			.setName(this.modelProperties.name())
			.addVersions(this.modelProperties.version())
			.setPlatform(metadata.platform())
			.addAllInputs(metadata.signature().inputs().stream().map(InferenceService::tensorMetadata).toList())
			.addAllOutputs(metadata.signature().outputs().stream().map(InferenceService::tensorMetadata).toList())
			.build();
	}

	private static TensorMetadata tensorMetadata(TensorSpec spec) {
		return TensorMetadata.newBuilder()
			.setName(spec.name())
			.setDatatype(spec.dataType().name())
			.addAllShape(InferMessageConverter.dimensions(spec.shape()))
			.build();
	}

	private Message infer(GrpcCall call, byte[] message) throws IOException {
		long startNanos = System.nanoTime();
		Reservation reservation = call.reservation();
		InferMessageConverter converter = new InferMessageConverter(this.admission.metadata().signature(), reservation);
		InferenceRequest request = read(converter, message, call);
		this.statistics.record(Stage.READ, System.nanoTime() - startNanos);
		Map<String, Tensor> outputs = this.admission.infer(request.inputs(), reservation, request.timeout(),
				Context.current()::isCancelled, Runnable::run);
		return converter.toResponse(request, outputs)
			.setModelName(this.modelProperties.name())
			.setModelVersion(this.modelProperties.version())
			.build();
	}

	private InferenceRequest read(InferMessageConverter converter, byte[] message, GrpcCall call) throws IOException {
		long expandedBytes = InferMessageConverter.maxObjectBytes(message);
		converter.reservation().add(expandedBytes);
		CodedInputStream stream = UnsafeByteOperations.unsafeWrap(message).newCodedInput();
		// With aliasing, the parsed message does not copy the raw contents.
		stream.enableAliasing(true);
		Oip.ModelInferRequest parsedMessage = Oip.ModelInferRequest.parseFrom(stream);
		call.setDefaultId(parsedMessage.getId());
		requireServed(parsedMessage.getModelName(), parsedMessage.getModelVersion());
		InferenceRequest request = converter.toInferenceRequest(parsedMessage);
		// Nothing refers to the parsed message any more, so its memory is given back.
		converter.reservation().add(-expandedBytes);
		return request;
	}

	private void requireServed(String modelName, String version) {
		InvalidRequestException.requireServed(this.modelProperties, modelName, version.isEmpty() ? null : version);
	}

	@Override
	public byte[] parse(InputStream stream) {
		try {
			// gRPC's stream has the whole message. readAllBytes() would copy it twice.
			byte[] message = new byte[stream.available()];
			stream.readNBytes(message, 0, message.length);
			return message;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@Override
	public InputStream stream(byte[] message) {
		return new ByteArrayInputStream(message);
	}

}
