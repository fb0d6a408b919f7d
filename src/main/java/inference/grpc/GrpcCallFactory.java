package inference.grpc;

import java.io.IOException;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import com.google.protobuf.Message;
import io.grpc.Context;
import io.grpc.Context.CancellableContext;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import org.jspecify.annotations.Nullable;

import inference.admission.Admission;
import inference.admission.LogContext;
import inference.admission.Rejection;
import inference.admission.Reservation;
import inference.admission.Statistics;
import inference.admission.Statistics.Protocol;

/**
 * Creates an object for each gRPC call, which follows it from its headers to its end.
 * gRPC reports the events of a call on its network threads. These must not block, so a
 * virtual thread answers each call of the Open Inference Protocol.
 */
final class GrpcCallFactory extends ServerStreamTracer.Factory {

	private static final Context.Key<GrpcCall> CURRENT = Context.key("call");

	private static final Metadata.Key<String> ID = Metadata.Key.of("x-request-id", Metadata.ASCII_STRING_MARSHALLER);

	private static final Metadata.Key<String> TRACE = Metadata.Key.of("traceparent", Metadata.ASCII_STRING_MARSHALLER);

	// Messages that are not predictions consist of a few names.
	private static final int MAX_OTHER_MESSAGE_BYTES = 16 * 1024;

	// A client may watch the health service for as long as it likes.
	private static final Duration UNLIMITED = Duration.ofDays(365);

	private final ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(1,
			Thread.ofPlatform().daemon().name("grpc-timer").factory());

	private final Admission admission;

	private final Statistics statistics;

	private final Duration maxCallTime;

	GrpcCallFactory(Admission admission, Statistics statistics) {
		this.admission = admission;
		this.statistics = statistics;
		statistics.register(Protocol.GRPC);
		// An answer that took the whole deadline can be read for a second.
		this.maxCallTime = admission.maxDeadline().plusSeconds(1);
		this.timer.setRemoveOnCancelPolicy(true);
	}

	/** The call that gRPC begins on this thread. */
	static GrpcCall current() {
		return CURRENT.get();
	}

	@Override
	public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
		boolean isLimited = method.startsWith(InferenceService.NAME);
		return new GrpcCall(headers, method.equals(InferenceService.PREDICTION_METHOD),
				isLimited ? this.maxCallTime : UNLIMITED);
	}

	/** A call, from its headers until its answer is sent. */
	final class GrpcCall extends ServerStreamTracer {

		private final long arrived = System.nanoTime();

		private final Metadata headers;

		private final boolean isPrediction;

		private final Duration maxTime;

		private volatile @Nullable CancellableContext context;

		private volatile @Nullable Reservation memory;

		private volatile @Nullable Thread thread;

		private String id;

		private long receivedBytes;

		private GrpcCall(Metadata headers, boolean isPrediction, Duration maxTime) {
			this.maxTime = maxTime;
			this.headers = headers;
			this.isPrediction = isPrediction;
			this.id = Objects.requireNonNullElseGet(LogContext.printable(headers.get(ID)), UUID.randomUUID()::toString);
		}

		/** Asks for the message. A prediction is admitted before. */
		ServerCall.Listener<byte[]> begin(ServerCall<byte[], Message> client, Method method) {
			try {
				if (this.isPrediction) {
					long left = Objects.requireNonNull(Context.current().getDeadline())
						.timeRemaining(TimeUnit.NANOSECONDS);
					this.memory = GrpcCallFactory.this.admission.admit(Duration.ofNanos(left));
				}
				client.request(1);
			}
			catch (Rejection ex) {
				refuse(client, ex);
			}
			return new ServerCall.Listener<>() {
				@Override
				public void onMessage(byte[] message) {
					Reservation reserved = GrpcCall.this.memory;
					if (reserved != null) {
						// gRPC's buffers are free now.
						reserved.add(-GrpcCall.this.receivedBytes);
					}
					GrpcCall.this.thread = Thread.startVirtualThread(() -> answer(client, method, message));
				}
			};
		}

		/** Limits the time of clients that send or read slowly. */
		@Override
		public Context filterContext(Context outer) {
			CancellableContext limited = outer.withValue(CURRENT, this)
				.withDeadlineAfter(this.maxTime.toNanos(), TimeUnit.NANOSECONDS, GrpcCallFactory.this.timer);
			this.context = limited;
			return limited;
		}

		/**
		 * Reserves memory for bytes of the message, and for their copy when it is
		 * complete. The thrown status ends the call.
		 */
		@Override
		public void inboundWireSize(long bytes) {
			this.receivedBytes += bytes;
			Reservation reserved = this.memory;
			try {
				if (reserved != null) {
					reserved.add(2 * bytes);
				}
				else if (this.receivedBytes > MAX_OTHER_MESSAGE_BYTES) {
					throw ErrorStatus.of(Code.RESOURCE_EXHAUSTED, "The message is too large.", null);
				}
			}
			catch (Rejection ex) {
				throw ErrorStatus.of(ex);
			}
		}

		@Override
		public void streamClosed(Status status) {
			Objects.requireNonNull(this.context).cancel(null);
			Thread answering = this.thread;
			if (answering != null && !status.isOk()) {
				// The call leaves the queue, or the model is asked to end it.
				answering.interrupt();
			}
			Reservation reserved = this.memory;
			if (reserved != null) {
				reserved.close();
			}
			if (this.isPrediction) {
				GrpcCallFactory.this.statistics.record(Protocol.GRPC, ErrorStatus.outcome(status),
						System.nanoTime() - this.arrived);
			}
		}

		Reservation memory() {
			return Objects.requireNonNull(this.memory);
		}

		/** Whether nobody waits for the answer any more. */
		boolean isGone() {
			return Objects.requireNonNull(this.context).isCancelled();
		}

		/** Sets the id, unless the client gave one in the header x-request-id. */
		void setDefaultId(String suggested) {
			String printable = LogContext.printable(suggested);
			if (printable != null && !this.headers.containsKey(ID)) {
				this.id = printable;
				LogContext.setRequestId(printable);
			}
		}

		private void answer(ServerCall<?, Message> client, Method method, byte[] message) {
			LogContext.start(this.id, this.headers.get(TRACE));
			try {
				Message answer = method.answer(this, message);
				Metadata answerHeaders = new Metadata();
				answerHeaders.put(ID, this.id);
				client.sendHeaders(answerHeaders);
				client.sendMessage(answer);
				client.close(Status.OK, new Metadata());
			}
			catch (Exception | Error ex) {
				refuse(client, ex);
			}
		}

		private void refuse(ServerCall<?, Message> client, Throwable failure) {
			StatusRuntimeException status = ErrorStatus.of(failure);
			Metadata trailers = Objects.requireNonNullElseGet(status.getTrailers(), Metadata::new);
			trailers.put(ID, this.id);
			client.close(status.getStatus(), trailers);
		}

	}

	/** A method of the Open Inference Protocol. */
	interface Method {

		Message answer(GrpcCall call, byte[] message) throws IOException;

	}

}
