package inference.grpc;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;

/**
 * The open calls that reserve no memory: all calls except predictions. Their number is
 * limited.
 */
final class UnreservedCalls implements ServerInterceptor {

	private static final int MAX_OPEN_CALLS = 1000;

	// Health checks are probes, so their limit is higher.
	private static final int HEALTH_CHECK_MAX_OPEN_CALLS = 2 * MAX_OPEN_CALLS;

	// Only predictions carry tensors. Other messages consist of a few names.
	private static final int MAX_MESSAGE_BYTES = 4 * 1024;

	private static final String HEALTH_CHECK_METHOD_NAME = HealthGrpc.getCheckMethod().getFullMethodName();

	private final Set<CancellableContext> contexts = ConcurrentHashMap.newKeySet();

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
		if (hasSizeLimit && messageBytes > MAX_MESSAGE_BYTES) {
			throw Status.RESOURCE_EXHAUSTED.withDescription("The message is too large.").asRuntimeException();
		}
	}

	void add(CancellableContext context) {
		this.contexts.add(context);
	}

	void remove(CancellableContext context) {
		this.contexts.remove(context);
	}

	/**
	 * Cancels the calls without a deadline, because they might never end. gRPC ends a
	 * call whose context is cancelled only if the cause is a TimeoutException.
	 */
	void cancelEndlessCalls() {
		this.contexts.stream()
			.filter((context) -> context.getDeadline() == null)
			.forEach((context) -> context.cancel(new TimeoutException("The server stops")));
	}

	/** Refuses a call above the limit. {@link #add} has already counted this call. */
	@Override
	public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers,
			ServerCallHandler<Q, A> next) {
		String methodName = call.getMethodDescriptor().getFullMethodName();
		int maxCalls = methodName.equals(HEALTH_CHECK_METHOD_NAME) ? HEALTH_CHECK_MAX_OPEN_CALLS : MAX_OPEN_CALLS;
		if (!methodName.equals(InferenceService.PREDICTION_METHOD_NAME) && this.contexts.size() > maxCalls) {
			call.close(Status.RESOURCE_EXHAUSTED.withDescription("Too many calls are open."), new Metadata());
			return new ServerCall.Listener<>() {
			};
		}
		return next.startCall(call, headers);
	}

}
