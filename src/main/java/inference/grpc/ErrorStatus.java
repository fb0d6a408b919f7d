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
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import inference.admission.Rejection;
import inference.admission.Statistics.Outcome;
import inference.codec.InvalidRequestException;
import inference.model.InvalidOutputException;

/**
 * The gRPC status of a call that failed. Its sentence is the same as over HTTP.
 *
 * @param outcome how the call counts in the statistics
 * @param exception the status with its details
 */
record ErrorStatus(Outcome outcome, StatusRuntimeException exception) {

	private static final Duration NOT_READY_RETRY = Duration.ofSeconds(2);

	private static final Logger logger = LoggerFactory.getLogger(ErrorStatus.class);

	static ErrorStatus of(Throwable failure) {
		String reason = String.valueOf(failure.getMessage());
		return switch (failure) {
			case StatusRuntimeException known -> new ErrorStatus(Outcome.INVALID, known);
			case InvalidRequestException _ -> of(Outcome.INVALID, Code.INVALID_ARGUMENT, reason, null);
			case InvalidProtocolBufferException _ ->
				of(Outcome.INVALID, Code.INVALID_ARGUMENT, "The message is damaged: " + reason, null);
			case Rejection rejection -> of(rejection);
			case InvalidOutputException _ -> {
				logger.error("A prediction failed: {}", reason);
				yield of(Outcome.FAILED, Code.INTERNAL, "The model failed: %s.".formatted(reason), null);
			}
			default -> {
				logger.error("A prediction failed", failure);
				yield of(Outcome.FAILED, Code.INTERNAL,
						"The model failed. The server's log has the reason, with this answer's X-Request-Id.", null);
			}
		};
	}

	private static ErrorStatus of(Rejection rejection) {
		Outcome outcome = Outcome.of(rejection);
		String reason = String.valueOf(rejection.getMessage());
		return switch (rejection.kind()) {
			case INVALID_INPUT -> of(outcome, Code.INVALID_ARGUMENT, reason, null);
			case NOT_READY -> of(outcome, Code.UNAVAILABLE, "Not ready: " + reason, NOT_READY_RETRY);
			case OVERLOADED, TOO_LARGE -> of(outcome, Code.RESOURCE_EXHAUSTED, reason, rejection.retryAfter());
			case DEADLINE_EXCEEDED -> of(outcome, Code.DEADLINE_EXCEEDED, reason, null);
			case CLIENT_GONE -> of(outcome, Code.CANCELLED, reason, null);
		};
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

	/** How a call counts that gRPC itself has ended. */
	static Outcome outcome(Code status) {
		return switch (status) {
			case OK -> Outcome.OK;
			case DEADLINE_EXCEEDED -> Outcome.LATE;
			case UNKNOWN -> Outcome.FAILED;
			case INTERNAL, INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNIMPLEMENTED -> Outcome.INVALID;
			default -> Outcome.GONE;
		};
	}

}
