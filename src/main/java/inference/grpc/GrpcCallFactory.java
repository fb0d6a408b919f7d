package inference.grpc;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;

import inference.admission.Statistics.Protocol;

/**
 * Creates a {@link GrpcCall} for each gRPC call.
 */
final class GrpcCallFactory extends ServerStreamTracer.Factory {

	// Calls of other services have no deadline. A client may watch the health service for
	// as long as the server runs.
	private final Set<CancellableContext> callsWithoutDeadline = ConcurrentHashMap.newKeySet();

	private final InferenceService service;

	GrpcCallFactory(InferenceService service) {
		this.service = service;
		service.statistics().register(Protocol.GRPC);
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
		return new GrpcCall(this, this.service, method, headers);
	}

	/** Ends the calls that have no deadline, because the server would wait for them. */
	void endCallsWithoutDeadline() {
		this.callsWithoutDeadline.forEach((call) -> call.cancel(new TimeoutException("The server stops")));
	}

	/** Begins a call that has no deadline. */
	CancellableContext beginCallWithoutDeadline(Context outer) {
		CancellableContext call = outer.withCancellation();
		this.callsWithoutDeadline.add(call);
		return call;
	}

	/** Ends a call, with or without a deadline. */
	void endCall(CancellableContext call) {
		this.callsWithoutDeadline.remove(call);
		call.cancel(null);
	}

}
