package inference.grpc;

import java.time.Duration;
import java.util.concurrent.TimeoutException;

import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;

import inference.admission.Admission;
import inference.admission.Statistics;
import inference.admission.Statistics.Protocol;

/**
 * Creates a {@link GrpcCall} for each gRPC call.
 */
final class GrpcCallFactory extends ServerStreamTracer.Factory {

	// Calls of other services have no deadline. A client may watch the health service for
	// as long as the server runs.
	private final CancellableContext otherServices = Context.ROOT.withCancellation();

	private final Admission admission;

	private final Statistics statistics;

	GrpcCallFactory(Admission admission, Statistics statistics) {
		this.admission = admission;
		this.statistics = statistics;
		statistics.register(Protocol.GRPC);
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
		return new GrpcCall(this, method, headers);
	}

	/** Ends the calls that have no deadline, because the server would wait for them. */
	void endOtherServices() {
		this.otherServices.cancel(new TimeoutException("The server stops"));
	}

	Admission admission() {
		return this.admission;
	}

	Statistics statistics() {
		return this.statistics;
	}

	Context otherServices() {
		return this.otherServices;
	}

	/**
	 * The longest time of a call. A second is added, in which the client reads its
	 * answer.
	 */
	Duration maxCallTime() {
		return this.admission.maxDeadline().plusSeconds(1);
	}

}
