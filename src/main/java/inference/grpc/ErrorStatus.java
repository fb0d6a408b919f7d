package inference.grpc;

import com.google.protobuf.Any;
import com.google.protobuf.Duration;
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
 */
final class ErrorStatus {

	private static final java.time.Duration NOT_READY_RETRY = java.time.Duration.ofSeconds(2);

	private static final Logger logger = LoggerFactory.getLogger(ErrorStatus.class);

	private ErrorStatus() {
	}

	static StatusRuntimeException of(Throwable failure) {
		String reason = String.valueOf(failure.getMessage());
		StatusRuntimeException status = switch (failure) {
			case StatusRuntimeException known -> known;
			case InvalidRequestException ex -> of(Code.INVALID_ARGUMENT, reason, null);
			case InvalidProtocolBufferException ex ->
				of(Code.INVALID_ARGUMENT, "The message is damaged: " + reason, null);
			case Rejection ex -> switch (ex.kind()) {
				case INVALID_INPUT -> of(Code.INVALID_ARGUMENT, reason, null);
				case NOT_READY -> of(Code.UNAVAILABLE, "Not ready: " + reason, NOT_READY_RETRY);
				case OVERLOADED, TOO_LARGE -> of(Code.RESOURCE_EXHAUSTED, reason, ex.retryAfter());
				case DEADLINE_EXCEEDED -> of(Code.DEADLINE_EXCEEDED, reason, null);
				case CLIENT_GONE -> of(Code.CANCELLED, reason, null);
			};
			case InvalidOutputException ex -> {
				logger.error("A prediction failed: {}", reason);
				yield of(Code.INTERNAL, "The model failed: %s.".formatted(reason), null);
			}
			default -> {
				logger.error("A prediction failed", failure);
				yield of(Code.INTERNAL,
						"The model failed. The server's log has the reason, with this answer's X-Request-Id.", null);
			}
		};
		return new StatusRuntimeException(status.getStatus().withCause(failure), status.getTrailers());
	}

	static StatusRuntimeException of(Code code, String sentence, java.time.@Nullable Duration retryAfter) {
		Status.Builder status = Status.newBuilder().setCode(code.value()).setMessage(sentence);
		if (retryAfter != null) {
			Duration.Builder delay = Duration.newBuilder()
				.setSeconds(retryAfter.getSeconds())
				.setNanos(retryAfter.getNano());
			status.addDetails(Any.pack(RetryInfo.newBuilder().setRetryDelay(delay).build()));
		}
		return StatusProto.toStatusRuntimeException(status.build());
	}

	/** How a prediction that ended with this status counts in the statistics. */
	static Outcome outcome(io.grpc.Status status) {
		if (status.getCause() instanceof Rejection rejection) {
			return Outcome.of(rejection);
		}
		return switch (status.getCode()) {
			case OK -> Outcome.OK;
			case INVALID_ARGUMENT, NOT_FOUND, RESOURCE_EXHAUSTED -> Outcome.INVALID;
			case DEADLINE_EXCEEDED -> Outcome.LATE;
			case INTERNAL -> Outcome.FAILED;
			default -> Outcome.GONE;
		};
	}

}
