package inference.grpc;

import java.time.Duration;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.RetryInfo;
import com.google.rpc.Status;
import io.grpc.Status.Code;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import org.jspecify.annotations.Nullable;

import inference.admission.Rejection;
import inference.admission.Statistics.Outcome;
import inference.codec.InvalidRequestException;

/**
 * The gRPC status of a call that failed. Its sentence is the same as over HTTP.
 *
 * @param outcome how the call counts in the statistics
 * @param exception the status with its details
 */
record ErrorStatus(Outcome outcome, StatusRuntimeException exception) {

	static ErrorStatus of(Throwable failure) {
		String reason = String.valueOf(failure.getMessage());
		return switch (failure) {
			case InvalidRequestException ex ->
				of(Outcome.INVALID, ex.isUnknownModel() ? Code.NOT_FOUND : Code.INVALID_ARGUMENT, reason, null);
			case InvalidProtocolBufferException _ ->
				of(Outcome.INVALID, Code.INVALID_ARGUMENT, "The message is damaged: " + reason, null);
			default -> of(Rejection.of(failure));
		};
	}

	private static ErrorStatus of(Rejection rejection) {
		Code code = switch (rejection.kind()) {
			case INVALID_INPUT -> Code.INVALID_ARGUMENT;
			case NOT_READY -> Code.UNAVAILABLE;
			case OVERLOADED, TOO_LARGE -> Code.RESOURCE_EXHAUSTED;
			case DEADLINE_EXCEEDED -> Code.DEADLINE_EXCEEDED;
			case CLIENT_GONE -> Code.CANCELLED;
			case FAILED -> Code.INTERNAL;
		};
		return of(Outcome.of(rejection), code, String.valueOf(rejection.getMessage()), rejection.retryAfter());
	}

	private static ErrorStatus of(Outcome outcome, Code code, String sentence, @Nullable Duration retryAfter) {
		Status.Builder status = Status.newBuilder().setCode(code.value()).setMessage(sentence);
		if (retryAfter != null) {
			RetryInfo.Builder retry = RetryInfo.newBuilder();
			retry.getRetryDelayBuilder().setSeconds(retryAfter.getSeconds()).setNanos(retryAfter.getNano());
			status.addDetails(Any.pack(retry.build()));
		}
		return new ErrorStatus(outcome, StatusProto.toStatusRuntimeException(status.build()));
	}

	/** The outcome of a call that gRPC itself has ended. */
	static Outcome outcomeOf(Code status) {
		return switch (status) {
			case OK -> Outcome.OK;
			case DEADLINE_EXCEEDED -> Outcome.LATE;
			case UNKNOWN -> Outcome.FAILED;
			case INTERNAL, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED -> Outcome.INVALID;
			default -> Outcome.GONE;
		};
	}

}
