package inference.grpc;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.health.v1.HealthGrpc;

/**
 * The open calls to which the server gives no deadline. Clients may watch the health
 * service, and use the services of a fork, for as long as the server runs. The number of
 * these calls is limited, because they reserve no memory.
 */
final class CallsWithoutDeadline implements ServerInterceptor {

	private static final int MAX_CALLS = 1000;

	private final Set<CancellableContext> contexts = ConcurrentHashMap.newKeySet();

	/** Whether the server gives calls of a method no deadline. */
	static boolean isWithoutDeadline(String fullMethodName) {
		return !fullMethodName.startsWith(InferenceService.NAME)
				&& !fullMethodName.equals(HealthGrpc.getCheckMethod().getFullMethodName());
	}

	/** Adds a call, and returns its context. */
	CancellableContext add(Context outerContext) {
		CancellableContext context = outerContext.withCancellation();
		this.contexts.add(context);
		return context;
	}

	void remove(CancellableContext context) {
		this.contexts.remove(context);
	}

	/** Cancels all calls, because they may not end by themselves. */
	void cancelAll() {
		this.contexts.forEach((context) -> context.cancel(new TimeoutException("The server stops")));
	}

	/** Refuses a call above the limit. {@link #add} has already counted this call. */
	@Override
	public <Q, A> ServerCall.Listener<Q> interceptCall(ServerCall<Q, A> call, Metadata headers,
			ServerCallHandler<Q, A> next) {
		if (isWithoutDeadline(call.getMethodDescriptor().getFullMethodName()) && this.contexts.size() > MAX_CALLS) {
			call.close(Status.RESOURCE_EXHAUSTED.withDescription("Too many calls are open."), new Metadata());
			return new ServerCall.Listener<>() {
			};
		}
		return next.startCall(call, headers);
	}

}
