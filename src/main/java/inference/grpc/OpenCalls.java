package inference.grpc;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.stream.Stream;

import io.grpc.Attributes;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerTransportFilter;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;
import org.jspecify.annotations.Nullable;

/**
 * The open connections and calls. The number of connections is limited, so that file
 * descriptors are left for probes. The number of calls other than predictions is limited,
 * too, because they reserve no memory.
 */
final class OpenCalls extends ServerTransportFilter implements ServerInterceptor {

	private static final int MAX_UNRESERVED_CALLS = 1000;

	// Health checks are probes, so their limit is higher.
	private static final int HEALTH_CHECK_MAX_UNRESERVED_CALLS = 2 * MAX_UNRESERVED_CALLS;

	// Only predictions carry tensors. Other messages consist of a few names.
	private static final int MAX_UNRESERVED_MESSAGE_BYTES = 4 * 1024;

	private static final String HEALTH_CHECK_METHOD_NAME = HealthGrpc.getCheckMethod().getFullMethodName();

	private final Semaphore connectionPermits;

	// The calls with the attributes of their connections.
	private final Map<GrpcCall, Attributes> calls = new ConcurrentHashMap<>();

	private volatile boolean isStopping;

	OpenCalls(int maxConnections) {
		this.connectionPermits = new Semaphore(maxConnections);
	}

	/**
	 * Whether the calls of a method get a deadline from the server. Calls of the Open
	 * Inference Protocol and health checks do. All others, such as calls that watch the
	 * health service, may last as long as the server runs.
	 */
	static boolean hasDeadline(String fullMethodName) {
		return fullMethodName.startsWith(InferenceService.NAME) || fullMethodName.equals(HEALTH_CHECK_METHOD_NAME);
	}

	/** Refuses a message that is too large, except a message to a fork's services. */
	static void requireAllowedSize(String fullMethodName, long messageBytes) {
		// The names of gRPC's health and reflection services start with "grpc.".
		boolean hasSizeLimit = Stream.of(InferenceService.NAME, "grpc.").anyMatch(fullMethodName::startsWith);
		if (hasSizeLimit && messageBytes > MAX_UNRESERVED_MESSAGE_BYTES) {
			throw Status.RESOURCE_EXHAUSTED.withDescription("The message is too large.").asRuntimeException();
		}
	}

	@Override
	public Attributes transportReady(Attributes attributes) {
		if (!this.connectionPermits.tryAcquire()) {
			throw Status.RESOURCE_EXHAUSTED.withDescription("too many connections").asRuntimeException();
		}
		return attributes;
	}

	/**
	 * Gives back the permit of a connection that has ended.
	 * @param attributes {@code null} if the connection never got a permit
	 */
	@Override
	public void transportTerminated(@Nullable Attributes attributes) {
		if (attributes != null) {
			this.connectionPermits.release();
			// If a client sends the headers of a stream twice, gRPC reports the stream's
			// end only to the second call. The first call is ended here.
			this.calls.forEach((call, connection) -> {
				if (connection.equals(attributes)) {
					call.streamClosed(Status.CANCELLED);
				}
			});
		}
	}

	/**
	 * Adds a call. Refuses it if too many calls are open, or if the server stops and the
	 * call might never end.
	 */
	@Override
	public <ReqT, RespT> ServerCall.Listener<ReqT> interceptCall(ServerCall<ReqT, RespT> serverCall, Metadata headers,
			ServerCallHandler<ReqT, RespT> next) {
		GrpcCall call = GrpcCall.CALL_KEY.get();
		this.calls.put(call, serverCall.getAttributes());
		String methodName = serverCall.getMethodDescriptor().getFullMethodName();
		int maxCalls = methodName.equals(HEALTH_CHECK_METHOD_NAME) ? HEALTH_CHECK_MAX_UNRESERVED_CALLS
				: MAX_UNRESERVED_CALLS;
		if (this.isStopping && !hasDeadline(methodName)) {
			return refuse(serverCall, Status.UNAVAILABLE.withDescription("The server stops."));
		}
		if (!call.isPrediction() && unreservedCallCount() > maxCalls) {
			return refuse(serverCall, Status.RESOURCE_EXHAUSTED.withDescription("Too many calls are open."));
		}
		return next.startCall(serverCall, headers);
	}

	private static <ReqT> ServerCall.Listener<ReqT> refuse(ServerCall<ReqT, ?> serverCall, Status status) {
		serverCall.close(status, new Metadata());
		return new ServerCall.Listener<>() {
		};
	}

	private long unreservedCallCount() {
		return this.calls.keySet().stream().filter((call) -> !call.isPrediction()).count();
	}

	void remove(GrpcCall call) {
		this.calls.remove(call);
	}

	/** Ends the calls without a deadline, and refuses new ones. */
	void cancelEndlessCalls() {
		this.isStopping = true;
		this.calls.keySet().forEach(GrpcCall::cancelIfEndless);
	}

}
