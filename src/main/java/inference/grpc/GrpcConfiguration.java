package inference.grpc;

import java.util.concurrent.TimeUnit;

import io.grpc.Codec;
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

import inference.admission.ConnectionCapacity;
import inference.lifecycle.Snapshot;

/**
 * Configures gRPC's server, which Spring Boot creates.
 */
@Configuration(proxyBeanMethods = false)
@ConditionalOnBooleanProperty("inference.grpc.enabled")
@Import(InferenceService.class)
class GrpcConfiguration {

	private static final int MAX_CONNECTIONS = 4096;

	// A call that was refused takes 1 KB until its client ends it, so a connection takes
	// up to 100 KB. That is a tenth of HEAP_BYTES_PER_CONNECTION.
	private static final int MAX_CALLS_PER_CONNECTION = 100;

	private static final int HEAP_BYTES_PER_CONNECTION = 1024 * 1024;

	// A connection may send this many bytes before a call is admitted and reserves
	// memory. So the window is smaller than gRPC's default of 1 MB.
	private static final int FLOW_CONTROL_WINDOW_BYTES = 256 * 1024;

	// HTTP takes up to three quarters.
	private static final double FILE_DESCRIPTOR_SHARE = 0.125;

	private final OpenCalls openCalls = new OpenCalls(
			ConnectionCapacity.maxConnections(MAX_CONNECTIONS, HEAP_BYTES_PER_CONNECTION, FILE_DESCRIPTOR_SHARE));

	@Bean
	ServerBuilderCustomizer<NettyServerBuilder> grpcServerCustomizer(InferenceService service) {
		return (builder) -> builder.maxConcurrentCallsPerConnection(MAX_CALLS_PER_CONNECTION)
			.flowControlWindow(FLOW_CONTROL_WINDOW_BYTES)
			// The memory budget assumes that gRPC's buffers are on the heap.
			.withChildOption(ChannelOption.ALLOCATOR, new PreferHeapByteBufAllocator(UnpooledByteBufAllocator.DEFAULT))
			// Compressed messages are refused, because they could expand without limit.
			.decompressorRegistry(DecompressorRegistry.emptyInstance().with(Codec.Identity.NONE, false))
			.handshakeTimeout(5, TimeUnit.SECONDS)
			.addTransportFilter(this.openCalls)
			.intercept(this.openCalls)
			.addStreamTracerFactory(new ServerStreamTracer.Factory() {
				@Override
				public ServerStreamTracer newServerStreamTracer(String fullMethodName, Metadata headers) {
					return new GrpcCall(service, GrpcConfiguration.this.openCalls, fullMethodName, headers);
				}
			})
			// The callbacks of GrpcCall do not block, so network threads run them. A
			// virtual thread for each callback would halve the number of answers per
			// second.
			.directExecutor();
	}

	/**
	 * The lifecycle of gRPC's server. The server stops at the same time as Tomcat, which
	 * is after the drain delay and before the model is freed.
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
				// The server waits until all calls have ended. Calls without a deadline
				// may never end, so they are cancelled here.
				GrpcConfiguration.this.openCalls.cancelEndlessCalls();
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
			// Without the lock, a thread could replace a newer state by an older state.
			synchronized (statusManager) {
				health.update(statusManager);
			}
		});
	}

}
