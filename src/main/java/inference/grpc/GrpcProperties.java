package inference.grpc;

import jakarta.validation.constraints.Pattern;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.validation.annotation.Validated;

/**
 * The settings of the gRPC server. {@code enabled} is text, because the condition of
 * {@link GrpcConfiguration} accepts only these two words, and Spring's conversion accepts
 * more.
 *
 * @param enabled whether the server runs, {@code true} or {@code false}; its port is
 * {@code spring.grpc.server.port}
 */
@Validated
@ConfigurationProperties(prefix = "inference.grpc", ignoreUnknownFields = false)
record GrpcProperties(
		@Pattern(regexp = "(?i)true|false", message = "must be true or false") @DefaultValue("false") String enabled) {
}
