package inference.grpc;

import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import com.google.protobuf.Message;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.StatusException;
import org.jspecify.annotations.Nullable;

import inference.admission.LogContext;
import inference.admission.Rejection;
import inference.admission.Reservation;
import inference.admission.Statistics.Protocol;
import inference.admission.Statistics.Stage;
import inference.codec.InvalidRequestException;

/**
 * A gRPC call, from its headers until its answer is sent. gRPC reports the events of a
 * call on network threads, which must not block. So a virtual thread answers each call of
 * the Open Inference Protocol.
 */
final class GrpcCall extends ServerStreamTracer {

	/** The key of this object in the call's gRPC context. */
	static final Context.Key<GrpcCall> CALL_KEY = Context.key("call");

	private static final Metadata.Key<String> ID_KEY = Metadata.Key.of("x-request-id",
			Metadata.ASCII_STRING_MARSHALLER);

	private static final Metadata.Key<String> TRACE_PARENT_KEY = Metadata.Key.of("traceparent",
			Metadata.ASCII_STRING_MARSHALLER);

	private final InferenceService service;

	private final OpenCalls openCalls;

	private final String fullMethodName;

	private final @Nullable String idFromClient;

	private final @Nullable String traceParent;

	private final long arrivalNanos = System.nanoTime();

	// The stream and the answering thread use the reservation. The last user closes it.
	private final AtomicInteger reservationUserCount = new AtomicInteger(1);

	private final AtomicBoolean hasEnded = new AtomicBoolean();

	private volatile String id;

	// filterContext() replaces this context before the call begins.
	private volatile CancellableContext context = Context.ROOT.withCancellation();

	private volatile @Nullable ServerCall<byte[], Message> serverCall;

	private volatile @Nullable Reservation reservation;

	private volatile @Nullable Thread answeringThread;

	private volatile boolean awaitsMessage = true;

	private volatile long answerReadyNanos;

	// Only the connection's network thread uses this number.
	private long messageBytes;

	GrpcCall(InferenceService service, OpenCalls openCalls, String fullMethodName, Metadata headers) {
		this.service = service;
		this.openCalls = openCalls;
		this.fullMethodName = fullMethodName;
		// The headers can be large, so an open call does not keep them.
		this.idFromClient = LogContext.toPrintable(headers.get(ID_KEY));
		this.traceParent = LogContext.toPrintable(headers.get(TRACE_PARENT_KEY));
		this.id = Objects.requireNonNullElseGet(this.idFromClient, () -> UUID.randomUUID().toString());
	}

	boolean isPrediction() {
		return this.fullMethodName.equals(InferenceService.PREDICTION_METHOD_NAME);
	}

	/** Creates the call's context, with a deadline if the method has one. */
	@Override
	public Context filterContext(Context outerContext) {
		// After the deadline, the client has one more second to read its answer.
		Duration maxCallTime = this.service.admission().maxDeadline().plusSeconds(1);
		Context callContext = outerContext.withValue(CALL_KEY, this);
		this.context = OpenCalls.hasDeadline(this.fullMethodName)
				? callContext.withDeadlineAfter(maxCallTime.toNanos(), TimeUnit.NANOSECONDS, ForkJoinPool.commonPool())
				: callContext.withCancellation();
		return this.context;
	}

	/** Admits the call if it is a prediction, and then requests its message from gRPC. */
	ServerCall.Listener<byte[]> admitAndListen(ServerCall<byte[], Message> serverCall) {
		this.serverCall = serverCall;
		try {
			if (isPrediction()) {
				long remainingNanos = Objects.requireNonNull(Context.current().getDeadline())
					.timeRemaining(TimeUnit.NANOSECONDS);
				this.reservation = this.service.admission().admit(Duration.ofNanos(remainingNanos));
			}
			serverCall.request(1);
		}
		catch (RuntimeException ex) {
			reject(ex);
		}
		return new ServerCall.Listener<>() {
			@Override
			public void onMessage(byte[] message) {
				if (GrpcCall.this.awaitsMessage) {
					startAnswer(message);
				}
			}

			@Override
			public void onHalfClose() {
				if (GrpcCall.this.awaitsMessage) {
					reject(new InvalidRequestException("The call has no message."));
				}
			}
		};
	}

	@Override
	public void inboundMessage(int number) {
		this.messageBytes = 0;
	}

	/** Reserves two bytes per byte of a prediction, because gRPC copies its buffers. */
	@Override
	public void inboundWireSize(long bytes) {
		this.messageBytes += bytes;
		Reservation reservation = this.reservation;
		if (reservation == null) {
			OpenCalls.requireAllowedSize(this.fullMethodName, this.messageBytes);
		}
		else if (this.awaitsMessage) {
			try {
				reservation.add(2 * bytes);
			}
			catch (Rejection ex) {
				reject(ex);
			}
		}
	}

	/** Cancels the call if it has no deadline, because it might never end. */
	void cancelIfEndless() {
		if (this.context.getDeadline() == null) {
			// gRPC ends a cancelled call only if the cause is a TimeoutException.
			this.context.cancel(new TimeoutException("The server stops"));
		}
	}

	@Override
	public void streamClosed(Status status) {
		if (this.hasEnded.getAndSet(true)) {
			return;
		}
		this.openCalls.remove(this);
		this.context.cancel(null);
		Thread answeringThread = this.answeringThread;
		if (answeringThread != null && !status.isOk()) {
			// The interrupt ends the wait in the queue, or asks the model to end its run.
			answeringThread.interrupt();
		}
		releaseReservation();
		if (isPrediction()) {
			long endNanos = System.nanoTime();
			if (status.isOk()) {
				this.service.statistics().record(Stage.WRITE, endNanos - this.answerReadyNanos);
			}
			this.service.statistics()
				.record(Protocol.GRPC, ErrorStatus.outcome(status, this.reservation), endNanos - this.arrivalNanos);
		}
	}

	Reservation reservation() {
		return Objects.requireNonNull(this.reservation);
	}

	/** Sets the call's id, unless the client sent an id in the header x-request-id. */
	void setDefaultId(String suggestedId) {
		String printableId = LogContext.toPrintable(suggestedId);
		if (printableId != null && this.idFromClient == null) {
			this.id = printableId;
			LogContext.setRequestId(printableId);
		}
	}

	private void startAnswer(byte[] message) {
		this.awaitsMessage = false;
		Reservation reservation = this.reservation;
		if (reservation != null) {
			// gRPC's buffers have been copied to the array and are free now.
			reservation.add(-message.length);
		}
		this.reservationUserCount.incrementAndGet();
		this.answeringThread = Thread.startVirtualThread(Context.current().wrap(() -> answer(message)));
	}

	private void answer(byte[] message) {
		LogContext.setIds(this.id, this.traceParent);
		try {
			ServerCall<byte[], Message> serverCall = Objects.requireNonNull(this.serverCall);
			Message answer = this.service.answer(serverCall.getMethodDescriptor(), message, this);
			this.answerReadyNanos = System.nanoTime();
			Metadata answerHeaders = new Metadata();
			answerHeaders.put(ID_KEY, this.id);
			serverCall.sendHeaders(answerHeaders);
			serverCall.sendMessage(answer);
			serverCall.close(Status.OK, new Metadata());
		}
		catch (Exception | Error ex) {
			reject(ex);
		}
		finally {
			releaseReservation();
		}
	}

	private void reject(Throwable failure) {
		this.awaitsMessage = false;
		StatusException exception = ErrorStatus.of(failure);
		Metadata trailers = Objects.requireNonNullElseGet(exception.getTrailers(), Metadata::new);
		trailers.put(ID_KEY, this.id);
		Objects.requireNonNull(this.serverCall).close(exception.getStatus(), trailers);
	}

	private void releaseReservation() {
		Reservation reservation = this.reservation;
		if (this.reservationUserCount.decrementAndGet() == 0 && reservation != null) {
			reservation.close();
		}
	}

}
