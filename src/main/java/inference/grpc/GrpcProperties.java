package inference.grpc;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings of the gRPC server.
 *
 * @param enabled whether the server runs; its port is {@code spring.grpc.server.port}
 */
@ConfigurationProperties(prefix = "inference.grpc", ignoreUnknownFields = false)
record GrpcProperties(@DefaultValue("false") boolean enabled) {
}
