package inference.grpc;

import java.time.Duration;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusException;
import io.grpc.protobuf.StatusProto;
import org.jspecify.annotations.Nullable;

import inference.admission.Deadline;
import inference.admission.Rejection;
import inference.admission.Reservation;
import inference.admission.Statistics.Outcome;
import inference.codec.InvalidRequestException;

/**
 * Translates failures to the statuses of gRPC, and statuses to the outcomes of
 * predictions.
 */
final class ErrorStatus {

	// The client's deadline begins when it sends the call, so it ends before the
	// server's. A call cancelled this close to its deadline counts as late. A short call
	// has a shorter tolerance, a fourth of its time.
	private static final Duration MAX_DEADLINE_TOLERANCE = Duration.ofMillis(50);

	private ErrorStatus() {
	}

	/** The status for a failed call, with the sentence that an HTTP client would get. */
	static StatusException of(Throwable failure) {
		return switch (failure) {
			case InvalidRequestException ex ->
				(ex.isUnknownModel() ? Status.NOT_FOUND : Status.INVALID_ARGUMENT).withDescription(ex.getMessage())
					.asException();
			case InvalidProtocolBufferException ex ->
				Status.INVALID_ARGUMENT.withDescription("The message is damaged: " + ex.getMessage()).asException();
			default -> of(Rejection.of(failure));
		};
	}

	private static StatusException of(Rejection rejection) {
		Code code = switch (rejection.kind()) {
			case INVALID_INPUT -> Code.INVALID_ARGUMENT;
			case NOT_READY -> Code.UNAVAILABLE;
			case OVERLOADED, TOO_LARGE -> Code.RESOURCE_EXHAUSTED;
			case DEADLINE_EXCEEDED -> Code.DEADLINE_EXCEEDED;
			case CLIENT_GONE -> Code.CANCELLED;
			case FAILED -> Code.INTERNAL;
		};
		var statusBuilder = com.google.rpc.Status.newBuilder()
			.setCode(code.value())
			.setMessage(String.valueOf(rejection.getMessage()));
		Duration retryAfter = rejection.retryAfter();
		if (retryAfter != null) {
			RetryInfo.Builder retryInfo = RetryInfo.newBuilder();
			retryInfo.getRetryDelayBuilder().setSeconds(retryAfter.getSeconds()).setNanos(retryAfter.getNano());
			statusBuilder.addDetails(Any.pack(retryInfo.build()));
		}
		return StatusProto.toStatusException(statusBuilder.build(), new Metadata(), rejection);
	}

	/**
	 * The outcome of a prediction that has ended.
	 * @param status the call's status, whose cause may be a {@link Rejection}
	 * @param reservation {@code null} if the prediction was not admitted
	 */
	static Outcome outcome(Status status, @Nullable Reservation reservation) {
		if (status.getCause() instanceof Rejection rejection) {
			return Outcome.of(rejection);
		}
		// Without a rejection, the request was invalid, or gRPC itself ended the call.
		return switch (status.getCode()) {
			case OK -> Outcome.OK;
			case DEADLINE_EXCEEDED -> Outcome.LATE;
			case UNKNOWN -> Outcome.FAILED;
			case INTERNAL, INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED, UNIMPLEMENTED -> Outcome.INVALID;
			default -> isNearDeadline(reservation) ? Outcome.LATE : Outcome.GONE;
		};
	}

	private static boolean isNearDeadline(@Nullable Reservation reservation) {
		if (reservation == null) {
			return false;
		}
		Deadline deadline = reservation.deadline();
		long toleranceNanos = Math.min(MAX_DEADLINE_TOLERANCE.toNanos(), deadline.timeGranted().toNanos() / 4);
		return deadline.remainingNanos() < toleranceNanos;
	}

}
