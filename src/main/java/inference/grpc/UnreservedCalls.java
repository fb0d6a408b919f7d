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

	private static final int MAX_CALLS = 1000;

	// Health checks are probes, so they may exceed the limit of other calls.
	private static final int MAX_CALLS_FOR_HEALTH_CHECKS = 2 * MAX_CALLS;

	// Only predictions carry tensors. Other messages consist of a few names.
	private static final int MAX_MESSAGE_BYTES = 4 * 1024;

	private static final String HEALTH_CHECK_METHOD_NAME = HealthGrpc.getCheckMethod().getFullMethodName();

	private final Set<CancellableContext> contexts = ConcurrentHashMap.newKeySet();

	/**
	 * Whether the server gives calls of a method a deadline. It gives none to clients
	 * that watch the health service or use the services of a fork, because they may do so
	 * for as long as the server runs.
	 */
	static boolean haveDeadline(String fullMethodName) {
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

	/** Cancels the calls without a deadline, because they may not end by themselves. */
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
		int maxCalls = methodName.equals(HEALTH_CHECK_METHOD_NAME) ? MAX_CALLS_FOR_HEALTH_CHECKS : MAX_CALLS;
		if (!methodName.equals(InferenceService.PREDICTION_METHOD_NAME) && this.contexts.size() > maxCalls) {
			call.close(Status.RESOURCE_EXHAUSTED.withDescription("Too many calls are open."), new Metadata());
			return new ServerCall.Listener<>() {
			};
		}
		return next.startCall(call, headers);
	}

}
