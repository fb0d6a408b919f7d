package inference.grpc;

import java.lang.management.ManagementFactory;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import com.sun.management.UnixOperatingSystemMXBean;
import io.grpc.Codec;
import io.grpc.Context.CancellableContext;
import io.grpc.DecompressorRegistry;
import io.grpc.Metadata;
import io.grpc.ServerStreamTracer;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.protobuf.services.HealthStatusManager;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelOption;
import io.netty.channel.PreferHeapByteBufAllocator;

import org.springframework.boot.autoconfigure.condition.ConditionalOnBooleanProperty;
import org.springframework.boot.grpc.server.autoconfigure.GrpcServerProperties;
import org.springframework.boot.grpc.server.health.GrpcServerHealth;
import org.springframework.boot.web.server.context.WebServerApplicationContext;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.grpc.server.NettyGrpcServerFactory;
import org.springframework.grpc.server.ServerBuilderCustomizer;
import org.springframework.grpc.server.lifecycle.GrpcServerLifecycle;

import inference.lifecycle.Snapshot;

/**
 * Configures gRPC's server, which Spring Boot creates.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty("inference.grpc.enabled")
@Import(InferenceService.class)
class GrpcConfiguration {

	private static final int MAX_CONNECTIONS = 4096;

	// A connection may fill it before any call has a reservation. gRPC's default is 1 MB.
	private static final int FLOW_CONTROL_WINDOW_BYTES = 256 * 1024;

	// Calls of other services have no deadline. A client may watch the health service for
	// as long as the server runs.
	private final Set<CancellableContext> contextsWithoutDeadline = ConcurrentHashMap.newKeySet();

	@Bean
	ServerBuilderCustomizer<NettyServerBuilder> grpcServerCustomizer(InferenceService service) {
		return (builder) -> builder.maxConcurrentCallsPerConnection(256)
			.flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
			// Buffers are on the Java heap, where the memory budget counts them.
			.withChildOption(ChannelOption.ALLOCATOR, new PreferHeapByteBufAllocator(UnpooledByteBufAllocator.DEFAULT))
			// A small compressed message could fill the memory.
			.decompressorRegistry(DecompressorRegistry.emptyInstance().with(Codec.Identity.NONE, false))
			.handshakeTimeout(5, TimeUnit.SECONDS)
			.addTransportFilter(new ConnectionLimit(maxConnections()))
			.addStreamTracerFactory(new ServerStreamTracer.Factory() {
				@Override
				public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
					return new GrpcCall(service, fullMethodName, headers,
							GrpcConfiguration.this.contextsWithoutDeadline);
				}
			})
			// Callbacks do not block. A virtual thread for each of them would halve the
			// number of answers.
			.directExecutor();
	}

	// HTTP takes at most three quarters of the file descriptors, gRPC half of the rest.
	private static int maxConnections() {
		return (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean operatingSystem)
				? (int) Math.min(MAX_CONNECTIONS, operatingSystem.getMaxFileDescriptorCount() / 8) : MAX_CONNECTIONS;
	}

	/**
	 * Ends calls while Tomcat ends requests, which is after the drain and before the
	 * model is freed.
	 */
	@Bean
	GrpcServerLifecycle nettyGrpcServerLifecycle(NettyGrpcServerFactory factory, GrpcServerProperties properties,
			ApplicationEventPublisher eventPublisher) {
		return new GrpcServerLifecycle(factory, properties.getShutdown().getGracePeriod(), eventPublisher) {
			@Override
			public int getPhase() {
				return WebServerApplicationContext.GRACEFUL_SHUTDOWN_PHASE;
			}

			@Override
			public void stop(Runnable onStopped) {
				// The server would wait for them.
				GrpcConfiguration.this.contextsWithoutDeadline
					.forEach((context) -> context.cancel(new TimeoutException("The server stops")));
				Thread.startVirtualThread(() -> super.stop(onStopped));
			}
		};
	}

	/** Updates the health service whenever the model's state changes. */
	@Bean
	ApplicationListener<PayloadApplicationEvent<Snapshot>> grpcHealthUpdater(GrpcServerHealth health,
			HealthStatusManager statusManager) {
		health.update(statusManager);
		return ApplicationListener.forPayload((_) -> {
			// Otherwise an older state could replace a newer one.
			synchronized (statusManager) {
				health.update(statusManager);
			}
		});
	}

}
