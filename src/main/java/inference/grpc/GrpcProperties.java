package inference.grpc;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Whether gRPC is on.
 *
 * @param enabled whether it runs; its port is {@code spring.grpc.server.port}
 */
@ConfigurationProperties(prefix = "inference.grpc", ignoreUnknownFields = false)
record GrpcProperties(@DefaultValue("false") boolean enabled) {
}
